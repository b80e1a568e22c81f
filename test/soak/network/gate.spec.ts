import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { cutOff } from './gate.js';
import { host } from './places.js';

describe('cutOff', () => {
  it.each([false, true])('closes a socket, its end being sent: %s', async (isEnding) => {
    const server = createServer((socket) => socket.on('error', () => undefined).resume());
    server.listen(0, host);
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, host);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    if (isEnding) socket.end();
    await Promise.resolve();
    cutOff(socket);
    await expect(closed).resolves.toHaveLength(1);
    server.close();
    await once(server, 'close');
  });
});
