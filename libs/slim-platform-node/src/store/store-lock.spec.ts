import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StoreLock } from './store-lock.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slim-lock-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Listens as an owner does, and then does nothing more until it is stopped. */
const busyOwner = `
  const { parentPort, workerData } = require('node:worker_threads');
  require('node:net').createServer().listen({ path: workerData, backlog: 1 }, () => {
    parentPort.postMessage('listens');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

describe('StoreLock', () => {
  it('is one at a time, and can be had again once it is released', async () => {
    const file = join(folder, 'store');
    const lock = await StoreLock.take(file);
    await expect(StoreLock.take(file)).rejects.toMatchObject({ code: 'store-failed' });
    await lock.release();
    await (await StoreLock.take(file)).release();
    expect(readdirSync(folder)).toStrictEqual([]);
  });

  // Other systems answer as if nobody listened.
  if (process.platform === 'linux')
    it('stays with an owner that is too busy to answer', async () => {
      const file = join(folder, 'store');
      const owner = new Worker(busyOwner, { eval: true, workerData: `${file}.owner.1` });
      await once(owner, 'message');
      // Those who wait are more than may, so the next one is sent away.
      const waiting = Array.from({ length: 4 }, () =>
        connect(`${file}.owner.1`).on('error', () => undefined),
      );
      await expect(StoreLock.take(file)).rejects.toMatchObject({
        code: 'store-failed',
        message: expect.stringContaining('in use by a process that runs'),
      });
      expect(readdirSync(folder)).toStrictEqual(['store.owner.1']);
      for (const socket of waiting) socket.destroy();
      await owner.terminate();
    });
});
