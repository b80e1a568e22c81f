import { once } from 'node:events';
import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isDeserted, removeStaleSocket } from './unix-socket.js';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slim-unix-'));
  path = join(folder, 'socket');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a Unix socket', () => {
  it('is deserted when nobody listens on it any more, and when it is gone', async () => {
    const server = createServer().listen(`${path}.old`);
    await once(server, 'listening');
    // As a process leaves it that is killed: the file stays, nobody listens.
    linkSync(`${path}.old`, path);
    server.close();
    await once(server, 'close');
    expect(await isDeserted(path)).toBe(true);
    await removeStaleSocket(path);
    expect(await isDeserted(path)).toBe(true);
    await removeStaleSocket(path);
  });

  // Other systems answer as if nobody listened.
  if (process.platform === 'linux')
    it('is not deserted when its owner is only too busy to answer', async () => {
      const server = createServer((socket) => socket.destroy()).listen({ path, backlog: 1 });
      await once(server, 'listening');
      // Nobody is accepted before the next turn, so those who wait are more than may.
      const waiting = Array.from({ length: 4 }, () => connect(path).on('error', () => undefined));
      const refused = once(connect(path), 'connect').catch(
        ({ code }: NodeJS.ErrnoException) => code,
      );
      const asked = isDeserted(path);
      expect([await refused, await asked]).toStrictEqual(['EAGAIN', false]);
      for (const socket of waiting) socket.destroy();
      server.close();
      await once(server, 'close');
    });
});
