import { once } from 'node:events';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Link } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { listenOnLoopback } from '../../../test/support/loopback-server.js';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { encodeGrpcFrames } from './grpc-framing.js';
import { http2Dialler } from './http2-dialler.js';

const ends: (() => Promise<unknown>)[] = [];
const never = new AbortController().signal;

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A link to a node that knows how much it was given leave to send, in all. */
async function setup(onFrame?: (link: Link) => void) {
  const clock = new ManualClock();
  const server = createServer();
  const { port, close } = await listenOnLoopback(server);
  ends.push(close);
  const streams = once(server, 'stream') as Promise<[ServerHttp2Stream]>;
  const dialling = http2Dialler(`http://127.0.0.1:${port}`, { clock, keepaliveMs: 0 }).dial(never);
  const [stream] = await streams;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
  const probe = new LinkProbe(await dialling, onFrame);
  const answers: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => answers.push(chunk));
  const ask = async (): Promise<void> => {
    const { length } = answers;
    probe.link.send(Uint8Array.of(7));
    while (answers.length === length) await immediate();
  };
  const endStream = (): void => void stream.end();
  ends.push(() => {
    endStream();
    return probe.link.close();
  });
  const session = stream.session as ServerHttp2Session;
  let used = 0;
  return {
    ...{ answers, ask, clock, probe, endStream },
    send: (frame: Uint8Array): void => {
      const bytes = encodeGrpcFrames([frame]);
      stream.write(bytes, () => (used += bytes.length));
    },
    window: (): number => (session.state.remoteWindowSize ?? NaN) + used,
  };
}

describe('a link of the HTTP/2 dialler', () => {
  it('acknowledges at once what nothing is sent in answer to', async () => {
    const { ask, clock, send, window } = await setup();
    const before = window();
    await ask();
    for (const sent of [1, 2, 3]) {
      send(Uint8Array.of(sent));
      while (window() !== before + sent) await immediate();
      clock.advance(2);
    }
    expect([window(), clock.pending]).toStrictEqual([before + 3, 0]);
  });

  it('does so once for all that comes in 2 ms, and not when it is closed', async () => {
    const { ask, clock, probe, send, window, endStream } = await setup();
    const before = window();
    await ask();
    send(Uint8Array.of(1));
    while (window() !== before + 1) await immediate();
    for (const sent of [2, 3, 4]) {
      send(Uint8Array.of(sent));
      await probe.received(sent);
    }
    while (clock.pending === 0) await immediate();
    expect([window(), clock.pending]).toStrictEqual([before + 1, 1]);
    clock.advance(2);
    while (window() !== before + 2) await immediate();
    send(Uint8Array.of(5));
    while (clock.pending === 0) await immediate();
    endStream();
    await probe.link.close();
    expect(clock.pending).toBe(0);
  });

  it('waits for nothing when it never sent anything, or much came since it did', async () => {
    const { ask, clock, probe, send, window } = await setup();
    const before = window();
    for (const sent of [1, 2, 3]) {
      send(Uint8Array.of(sent));
      await probe.received(sent);
      clock.advance(2);
    }
    expect(window()).toBe(before);
    await ask();
    for (let sent = 1; sent <= 60; sent += 1) {
      send(Uint8Array.of(sent));
      await probe.received(3 + sent);
      await immediate();
      clock.advance(2);
    }
    await ask();
    send(Uint8Array.of(1));
    while (window() < before + 51) await immediate();
    expect(window()).toBe(before + 51);
  });

  it('leaves that to its answer where it gives one', async () => {
    const { answers, send, window } = await setup((link) => link.send(Uint8Array.of(7)));
    const before = window();
    for (const sent of [1, 2, 3]) {
      send(Uint8Array.of(sent));
      while (answers.length < sent) await immediate();
    }
    expect(window()).toBe(before);
  });
});
