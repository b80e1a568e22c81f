import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { SlimError } from '@nestjs-slim/core';
import { valid } from '../config/testing/verdict.js';
import { listenersOf } from './listeners.js';
import { Owned } from './owned.js';

const ignored = (): void => undefined;

describe('listenersOf', () => {
  it.each([
    { streams: 'max_concurrent_streams: 100', limits: 'max_connections: 1' },
    { streams: 'max_concurrent_streams: 1', limits: 'max_connections: 100' },
    { streams: 'max_concurrent_streams: 1', limits: '' },
    { streams: 'metadata: ~', limits: 'max_connections: 1' },
  ])('takes one WebSocket with $streams and $limits', async ({ streams, limits }) => {
    const server = `{ endpoint: "ws://127.0.0.1:0", tls: { insecure: true }, ${streams} }`;
    const text = `services: { slim/0: { dataplane: { servers: [${server}] } } }
nestjs_slim: { limits: { ${limits} } }`;
    const fileErrors = { tls: ignored, keySet: ignored };
    const [open] = await listenersOf(valid(text).config, new Owned(), fileErrors);
    let refuse: (reason: SlimError) => void = ignored;
    const refused = new Promise<SlimError>((resolve) => (refuse = resolve));
    const listener = await open?.(ignored, (reason) => refuse(reason));
    const port = Number(new URL(listener?.url ?? '').port);
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    expect((await refused).message).toBe('more than 1 connections');
    for (const socket of sockets) socket.destroy();
    await listener?.close();
  });
});
