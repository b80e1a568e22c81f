import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sharedSecret, type Session } from '@nestjs-slim/core';
import { SlimApp, SlimNode, sqliteStore } from '@nestjs-slim/platform-node';
import { KeptApp } from '../support/kept-app.js';
import { firstSession } from '../support/sessions.js';

const secret = 'restarts-are-tested-with-this-secret-of-40-';
let folder = '';
let node: SlimNode;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slim-restart-'));
  node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
});
afterAll(async () => {
  await node.close();
  await rm(folder, { recursive: true });
});

const running: { (): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function kept(name: string): Promise<KeptApp> {
  const path = join(folder, `${name}.db`);
  const options = { url: node.url ?? '', name: `org/ns/${name}`, secret, path };
  const app = await KeptApp.start(options);
  running.push(() => app.stop());
  return app;
}

async function ours(name: string) {
  const app = await SlimApp.connect({
    name: `org/ns/${name}`,
    identity: sharedSecret({ secret }),
    node,
  });
  running.push(() => app.close());
  return app;
}

/** Messages until the stream says how many there are: `last` is its last. */
async function readUntil(session: Session, last: string): Promise<string[]> {
  const read: string[] = [];
  while (read.at(-1) !== last) {
    const { payload } = await session.next({ timeoutMs: 10_000 });
    read.push(Buffer.from(payload).toString());
  }
  return read;
}

describe('an application that keeps its state and is killed', () => {
  it('goes on in the middle of its messages, with none twice and each lost one named', async () => {
    const app = await kept('killed');
    const other = await ours('reader');
    const [session] = await Promise.all([firstSession(other), app.open('org/ns/reader', {})]);
    const lost: number[] = [];
    session.onLost((id) => lost.push(id));
    const before = app.fullName;

    const read: string[] = [];
    for (const round of ['one', 'two']) {
      await app.flood(`${round} `);
      for (let count = 0; count < 40; count += 1) {
        read.push(Buffer.from((await session.next({ timeoutMs: 10_000 })).payload).toString());
      }
      await app.restart();
      expect(app.fullName).toBe(before);
      await app.publish(1, `after ${round} `);
      read.push(...(await readUntil(session, `after ${round} 0`)));
    }

    expect(new Set(read).size).toBe(read.length);
    for (const round of ['one', 'two']) {
      const numbers = read.flatMap((each) =>
        each.startsWith(`${round} `) ? [Number(each.slice(round.length + 1))] : [],
      );
      expect(numbers).toStrictEqual(numbers.toSorted((a, b) => a - b));
    }
    // Numbers without a gap: whatever is missing was said to be lost.
    await session.publish(Buffer.from('back'));
    expect(await app.receive(1)).toStrictEqual(['back']);
    expect(new Set(lost).size).toBe(lost.length);
  }, 60_000);

  it('is refused its store while it lives, and has it again when it was killed', async () => {
    const app = await kept('single');
    const path = join(folder, 'single.db');
    const identity = sharedSecret({ secret });
    const again = { name: 'org/ns/single', identity, node, store: sqliteStore({ path }) };
    await expect(SlimApp.connect(again)).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringContaining('in use'),
    });
    await app.kill();
    const second = await SlimApp.connect(again);
    await second.close();
    expect((await readdir(folder)).filter((name) => name.startsWith('single'))).toStrictEqual([
      'single.db',
    ]);
  });

  it('is refused with another secret or name, and nothing is changed', async () => {
    const app = await kept('foreign');
    await app.end();
    const store = sqliteStore({ path: join(folder, 'foreign.db') });
    const identity = sharedSecret({ secret: `${secret}another` });
    const name = 'org/ns/foreign';
    const other = { identity: sharedSecret({ secret }), name: 'org/ns/other' };
    for (const wrong of [{ identity, name }, other]) {
      await expect(SlimApp.connect({ ...wrong, node, store })).rejects.toMatchObject({
        code: 'store-failed',
      });
    }
    await app.restart();
    expect(app.fullName).toContain('org/ns/foreign/');
  });
});
