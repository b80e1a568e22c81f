import { once } from 'node:events';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError, type Link } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { WebSocket } from 'ws';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { closeGraceMs } from './http2-settings.js';
import { webSocketDialler } from './websocket-dialler.js';
import { listenWebSocket } from './websocket-listener.js';

const host = '127.0.0.1';
const ageMs = 60_000;
const never = new AbortController().signal;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function setup({ keepaliveMs = 0 } = {}) {
  const clock = new ManualClock();
  let accept: (link: Link) => void = () => undefined;
  const accepted = new Promise<Link>((resolve) => (accept = resolve));
  const options = { host, port: 0, clock, keepaliveMs, maxConnectionAgeMs: ageMs };
  const listener = await listenWebSocket(options, accept);
  ends.push(() => listener.close());
  const probe = async (): Promise<LinkProbe> => new LinkProbe(await accepted);
  return { clock, listener, probe };
}

async function dialByHand(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  ends.push(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

describe('a WebSocket link that is old enough', () => {
  it('takes what the other end had sent, and loses no frame of our dialler', async () => {
    const { clock, listener, probe } = await setup();
    const dialled = new LinkProbe(await webSocketDialler(listener.url).dial(never));
    const accepted = await probe();
    const count = 500;
    for (let sent = 0; sent < count; sent += 1) dialled.link.send(Uint8Array.of(sent & 255));
    accepted.link.send(Uint8Array.of(1));
    clock.advance(ageMs);
    await Promise.all([dialled.ended(), accepted.ended()]);
    expect(dialled.frames).toStrictEqual([Uint8Array.of(1)]);
    expect(accepted.frames).toHaveLength(count);
    expect([...dialled.ends, ...accepted.ends]).toStrictEqual([undefined, undefined]);
    await listener.close();
    expect(clock.pending).toBe(0);
  });

  it('takes it also while its owner pauses, and ends behind it', async () => {
    const { clock, listener, probe } = await setup();
    const dialled = new LinkProbe(await webSocketDialler(listener.url).dial(never));
    const accepted = await probe();
    accepted.link.pause();
    dialled.link.send(Uint8Array.of(7));
    clock.advance(ageMs);
    await dialled.ended();
    accepted.link.resume();
    await accepted.ended();
    expect(accepted.frames).toStrictEqual([Uint8Array.of(7)]);
    expect(accepted.ends).toStrictEqual([undefined]);
  });

  it('sends nothing more, and is cut when the other end does not end its part', async () => {
    const { clock, listener, probe } = await setup();
    const socket = await dialByHand(listener.url);
    const accepted = await probe();
    socket.send(Uint8Array.of(1));
    await accepted.received(1);
    socket.pause();
    clock.advance(ageMs);
    expect(accepted.link.send(Uint8Array.of(2))).toBe(true);
    expect(accepted.ends).toStrictEqual([]);
    clock.advance(5_000);
    await accepted.ended();
    expect(accepted.ends).toMatchObject([{ code: 'link-closed' }]);
    await listener.close();
    expect(clock.pending).toBe(0);
  });

  it('asks for no sign of life any more when its owner takes the rest of one that is gone', async () => {
    const { clock, listener, probe } = await setup({ keepaliveMs: 3 * ageMs });
    const socket = await dialByHand(listener.url);
    const accepted = await probe();
    accepted.link.pause();
    const mebibyte = new Uint8Array(1024 * 1024);
    const { pending } = clock;
    for (let sent = 0; sent < 6; sent += 1) socket.send(mebibyte);
    // More than it takes unread: it stops reading, and asking for signs of life.
    while (clock.pending === pending) await immediate();
    clock.advance(ageMs);
    const gone = once(socket, 'close');
    clock.advance(closeGraceMs);
    await gone;
    accepted.link.resume();
    await accepted.ended();
    expect(accepted.frames.length).toBeGreaterThan(4);
    await listener.close();
    expect(clock.pending).toBe(0);
  });

  it('drops what comes once its owner closes it', async () => {
    const { clock, listener, probe } = await setup();
    const socket = await dialByHand(listener.url);
    const accepted = await probe();
    socket.pause();
    clock.advance(ageMs);
    socket.send(Uint8Array.of(1));
    const closed = accepted.link.close();
    socket.resume();
    await closed;
    expect(accepted.frames).toStrictEqual([]);
    expect(accepted.ends).toStrictEqual([undefined]);
  });
});

describe('a WebSocket link whose other end is not wanted', () => {
  it('says so with 1008 and why, which the other end sees as refused', async () => {
    const { listener, probe } = await setup();
    const dialled = new LinkProbe(await webSocketDialler(listener.url).dial(never));
    const accepted = await probe();
    await accepted.link.close(new SlimError('refused', 'of another deployment'));
    await dialled.ended();
    expect(dialled.ends).toMatchObject([
      {
        code: 'refused',
        message: expect.stringMatching('ended the link with WebSocket code 1008: of another dep'),
      },
    ]);
    expect(accepted.ends).toStrictEqual([undefined]);
  });

  it('says as much of a long reason as a close message carries', async () => {
    const { listener, probe } = await setup();
    const socket = await dialByHand(listener.url);
    const accepted = await probe();
    const closed = once(socket, 'close');
    // Two bytes each, and a one before them: the last does not fit as a whole.
    await accepted.link.close(new SlimError('refused', `x${'\u00e4'.repeat(70)}y`));
    const [code, text] = (await closed) as [number, Buffer];
    expect([code, String(text)]).toStrictEqual([1008, `x${'\u00e4'.repeat(61)}`]);
  });
});
