import { describe, expect, it } from '@jest/globals';
import { maxFrameBytes, SlimError } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { webSocketDialler, type WebSocketDiallerOptions } from './web-socket-dialler.js';
import type { WebSocketLike } from './web-socket-like.js';

const never = new AbortController().signal;
const url = 'wss://node.example/slim';

/** A socket that does what the test says. */
class FakeSocket implements WebSocketLike {
  readonly url: string;
  readonly sent: Uint8Array[] = [];
  readonly closes: (number | undefined)[] = [];
  binaryType = 'blob';
  bufferedAmount = 0;
  readonly #listeners = new Map<string, (event: never) => void>();

  constructor(to: string) {
    this.url = to;
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(data);
  }

  close(code?: number): void {
    this.closes.push(code);
  }

  /** As a browser does it, but one of a type at a time for the link and one for its dialler. */
  addEventListener(type: string, listener: (event: never) => void): void {
    const before = this.#listeners.get(type);
    this.#listeners.set(type, (event) => {
      before?.(event);
      listener(event);
    });
  }

  emit(type: string, event: object = {}): void {
    this.#listeners.get(type)?.(event as never);
  }
}

function setup(options: Omit<WebSocketDiallerOptions, 'connect' | 'clock'> = {}) {
  const clock = new ManualClock();
  const sockets: FakeSocket[] = [];
  const connect = (to: string): FakeSocket => {
    const socket = new FakeSocket(to);
    sockets.push(socket);
    return socket;
  };
  const dialler = webSocketDialler(url, { ...options, clock, connect });
  return { clock, sockets, dialler };
}

/** Lets promises settle, of which dialling needs a few. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

async function opened() {
  const { clock, sockets, dialler } = setup();
  const dialling = dialler.dial(never);
  await turns();
  const [socket = new FakeSocket('')] = sockets;
  socket.emit('open');
  const probe = new LinkProbe(await dialling);
  await turns();
  return { clock, socket, probe, link: probe.link };
}

describe('webSocketDialler of a browser', () => {
  it.each([
    { token: undefined, expected: url },
    { token: 'a.b.c', expected: `${url}?token=a.b.c` },
    { token: () => 'a=b', expected: `${url}?token=a%3Db` },
    { token: async () => 'later', expected: `${url}?token=later` },
  ])('dials $expected', async ({ token, expected }) => {
    const { dialler, sockets } = setup(token === undefined ? {} : { token });
    const dialling = dialler.dial(never);
    await turns();
    expect(sockets.map((socket) => [socket.url, socket.binaryType])).toStrictEqual([
      [expected, 'arraybuffer'],
    ]);
    expect(dialler.target).toBe(url);
    sockets[0]?.emit('close', { code: 1006, reason: '' });
    const message = `${url}: no link, WebSocket code 1006`;
    await expect(dialling).rejects.toMatchObject({ code: 'link-failed', message });
  });

  it('fails with what the browser says when it opens no socket at all', async () => {
    const connect = (): WebSocketLike => {
      throw new Error('mixed content');
    };
    const attempt = webSocketDialler(url, { connect }).dial(never);
    const message = `${url}: mixed content`;
    await expect(attempt).rejects.toMatchObject({ code: 'link-failed', message });
  });

  it('fails with the code of what the token threw', async () => {
    const token = async () => {
      throw new SlimError('identity-rejected', 'sign in first');
    };
    const { clock, dialler, sockets } = setup({ token });
    const failure = { code: 'identity-rejected', message: 'sign in first' };
    await expect(dialler.dial(never)).rejects.toMatchObject(failure);
    expect([sockets, clock.pending]).toStrictEqual([[], 0]);
  });

  it('gives up when the signal fires, and when the node takes too long', async () => {
    const { clock, dialler, sockets } = setup();
    const controller = new AbortController();
    const aborted = dialler.dial(controller.signal);
    await turns();
    controller.abort();
    expect(sockets[0]?.closes).toStrictEqual([undefined]);
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    await expect(dialler.dial(controller.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(sockets).toHaveLength(1);
    const late = dialler.dial(never);
    await turns();
    clock.advance(20_000);
    expect(sockets[1]?.closes).toStrictEqual([undefined]);
    const message = `${url}: no answer within 20000 ms`;
    await expect(late).rejects.toMatchObject({ code: 'link-failed', message });
    sockets[1]?.emit('close', { code: 1006, reason: '' });
    expect(clock.pending).toBe(0);
  });

  it('gives up while it waits for a token that never comes', async () => {
    const { clock, dialler, sockets } = setup({
      token: () => new Promise<string>(() => undefined),
    });
    const controller = new AbortController();
    const aborted = dialler.dial(controller.signal);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    const late = dialler.dial(never);
    clock.advance(20_000);
    const message = `${url}: no answer within 20000 ms`;
    await expect(late).rejects.toMatchObject({ code: 'link-failed', message });
    expect([sockets, clock.pending]).toStrictEqual([[], 0]);
  });

  it.each(['comes', 'fails'] as const)(
    'opens no socket when the token %s too late',
    async (how) => {
      let settle: Record<typeof how, () => void> | undefined;
      const token = () =>
        new Promise<string>((resolve, reject) => {
          settle = { comes: () => resolve('late'), fails: () => reject(new Error('late')) };
        });
      const { clock, dialler, sockets } = setup({ token });
      const late = dialler.dial(never);
      clock.advance(20_000);
      await expect(late).rejects.toMatchObject({ code: 'link-failed' });
      settle?.[how]();
      await turns();
      expect(sockets).toHaveLength(0);
    },
  );

  it.each([
    ['https://node', 'https://node'],
    ['node:46357', 'node:46357'],
    ['ws://me:hidden@node/x', 'ws://…@node/x'],
    ['wss://node/#x', 'wss://node/#x'],
    ['gopher://node/?token=hidden', 'gopher://node/?…'],
  ])('refuses "%s", and shows no secret of it', (text, shown) => {
    const what = `expected ws://host:port/path or wss://host:port/path, got "${shown}"`;
    expect(() => webSocketDialler(text)).toThrow(new SlimError('invalid-config', what));
  });
});

describe('BrowserLink', () => {
  it('asks the sender to wait while the browser has not sent enough', async () => {
    const { clock, socket, probe, link } = await opened();
    expect(link.send(Uint8Array.of(1))).toBe(true);
    socket.bufferedAmount = 2_000_000;
    expect(link.send(Uint8Array.of(2))).toBe(false);
    expect(link.send(Uint8Array.of(3))).toBe(false);
    clock.advance(20);
    expect(probe.drains).toBe(0);
    socket.bufferedAmount = 10;
    clock.advance(20);
    expect(probe.drains).toBe(1);
    expect(link.send(Uint8Array.of(4))).toBe(true);
    expect(socket.sent).toHaveLength(4);
    expect(clock.pending).toBe(0);
  });

  it.each([
    { what: 'text', data: 'hello', code: 'malformed-frame' },
    { what: 'too much', data: new ArrayBuffer(maxFrameBytes + 1), code: 'message-too-large' },
  ])('ends when $what comes', async ({ data, code }) => {
    const { socket, probe } = await opened();
    socket.emit('message', { data });
    socket.emit('message', { data: new ArrayBuffer(1) });
    expect(probe.frames).toHaveLength(0);
    expect(probe.ends).toMatchObject([{ code }]);
    expect(socket.closes).toStrictEqual([1000]);
  });

  it('ends rather than keep everything for an owner that paused', async () => {
    const { socket, probe, link } = await opened();
    link.pause();
    for (let count = 0; count < 16; count += 1) {
      socket.emit('message', { data: new ArrayBuffer(maxFrameBytes) });
    }
    expect(probe.ends).toHaveLength(0);
    socket.emit('message', { data: new ArrayBuffer(1) });
    expect(probe.ends).toMatchObject([{ code: 'backpressure' }]);
  });

  it.each([
    { code: 1000, reason: '', end: undefined },
    { code: 1001, reason: '', end: undefined },
    { code: 1005, reason: '', end: undefined },
    { code: 1006, reason: '', end: /^wss:\/\/node\.example\/slim is gone, WebSocket code 1006$/ },
    { code: 1009, reason: 'too much', end: /is gone, WebSocket code 1009: too much$/ },
  ])('takes code $code for what it is', async ({ code, reason, end }) => {
    const { socket, probe } = await opened();
    socket.emit('close', { code, reason });
    expect(probe.ends.map((one) => one?.message)).toStrictEqual([
      end && expect.stringMatching(end),
    ]);
  });

  it.each([
    { reason: 'deployment_name mismatch', text: ': deployment_name mismatch' },
    { reason: '', text: '' },
  ])('is refused with code 1008: "$reason"', async ({ reason, text }) => {
    const { socket, probe } = await opened();
    socket.emit('close', { code: 1008, reason });
    const message = `${url} refused the link, WebSocket code 1008${text}`;
    expect(probe.ends).toMatchObject([{ code: 'refused', message }]);
  });

  it('closes though the other end does not', async () => {
    const { clock, socket, probe, link } = await opened();
    const closing = link.close();
    expect(link.send(Uint8Array.of(1))).toBe(true);
    clock.advance(5_000);
    await closing;
    await link.close();
    expect([socket.closes, socket.sent]).toStrictEqual([[1000], []]);
    expect(probe.ends).toMatchObject([{ code: 'link-closed' }]);
    expect(clock.pending).toBe(0);
  });
});
