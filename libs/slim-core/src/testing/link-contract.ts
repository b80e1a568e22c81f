import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError } from '../errors/slim-error.js';
import { maxFrameBytes, type Link } from '../link/link.js';
import { LinkProbe } from './link-probe.js';

/** Both ends of a new link, neither of them opened yet. */
export interface LinkPair {
  readonly dialled: Link;
  readonly accepted: Link;
  /** Frees what the pair stands on, whatever state it is in. */
  end(): Promise<void>;
}

type OpenPair = () => Promise<LinkPair>;

/** What every `Link` promises. Each implementation runs it in its spec. */
export function linkContract(name: string, openPair: OpenPair): void {
  describe(`${name} as a link`, () => {
    const pairs: LinkPair[] = [];
    const open = async (): Promise<LinkPair> => {
      const pair = await openPair();
      pairs.push(pair);
      return pair;
    };
    afterEach(async () => {
      await Promise.all(pairs.splice(0).map((pair) => pair.end()));
    });

    describe('carrying frames', () => carriesFrames(open));
    describe('carrying many frames', () => carriesMany(open));
    describe('holding back', () => holdsBack(open));
    describe('ending in order', () => endsInOrder(open));
    describe('ending at once', () => endsAtOnce(open));
  });
}

function carriesFrames(open: OpenPair): void {
  it('keeps order and content, both ways', async () => {
    const pair = await open();
    const [dialled, accepted] = [new LinkProbe(pair.dialled), new LinkProbe(pair.accepted)];
    const sizes = [0, 1, 5, 300, 16_384, 70_000, 1, 0, 1_000_000, 2];
    const there = sizes.map((size, index) => pattern(size, index));
    const back = sizes.map((size, index) => pattern(size, 100 + index));
    for (const frame of there) pair.dialled.send(frame);
    for (const frame of back) pair.accepted.send(frame);
    await Promise.all([dialled.received(sizes.length), accepted.received(sizes.length)]);
    expect(accepted.frames.map(text)).toStrictEqual(there.map(text));
    expect(dialled.frames.map(text)).toStrictEqual(back.map(text));
  });

  it('keeps frames that came before it was opened', async () => {
    const pair = await open();
    const dialled = new LinkProbe(pair.dialled);
    for (const byte of [1, 2, 3]) pair.dialled.send(Uint8Array.of(byte));
    // An answer on the way back proves that the frames had time to arrive.
    pair.accepted.send(Uint8Array.of(9));
    await dialled.received(1);
    const accepted = new LinkProbe(pair.accepted);
    await accepted.received(3);
    expect(accepted.frames.map(([byte]) => byte)).toStrictEqual([1, 2, 3]);
  });

  it('carries a frame of the largest size and refuses a larger one', async () => {
    const pair = await open();
    const accepted = new LinkProbe(pair.accepted);
    const largest = pattern(maxFrameBytes, 1);
    expect(() => pair.dialled.send(new Uint8Array(maxFrameBytes + 1))).toThrow(
      expect.objectContaining({
        code: 'message-too-large',
        message: expect.stringContaining(`${maxFrameBytes + 1}`),
      }),
    );
    pair.dialled.send(largest);
    await accepted.received(1);
    expect(accepted.frames.map(text)).toStrictEqual([text(largest)]);
  });
}

/** For libraries that take their time, on a machine that is busy. */
const slowMs = 30_000;

function carriesMany(open: OpenPair): void {
  it(
    'carries 10,000 small frames',
    async () => {
      const pair = await open();
      const accepted = new LinkProbe(pair.accepted);
      const count = 10_000;
      for (let index = 0; index < count; index += 1) pair.dialled.send(pattern(16, index));
      await accepted.received(count);
      const wrong = accepted.frames.findIndex(
        (frame, index) => text(frame) !== text(pattern(16, index)),
      );
      expect(wrong).toBe(-1);
      expect(accepted.frames).toHaveLength(count);
    },
    slowMs,
  );

  it(
    'carries much in both directions at the same time',
    async () => {
      const pair = await open();
      const probes = [new LinkProbe(pair.dialled), new LinkProbe(pair.accepted)];
      const count = 24;
      for (let index = 0; index < count; index += 1) {
        for (const { link } of probes) link.send(new Uint8Array(1_000_000));
      }
      await Promise.all(probes.map((probe) => probe.received(count)));
      expect(probes.map(({ frames }) => frames.length)).toStrictEqual([count, count]);
    },
    slowMs,
  );
}

function holdsBack(open: OpenPair): void {
  it('makes the sender wait for a reader that pauses, and loses nothing', async () => {
    const pair = await open();
    const dialled = new LinkProbe(pair.dialled);
    const accepted = new LinkProbe(pair.accepted);
    pair.accepted.pause();
    const sent = await fill(dialled);
    const drains = dialled.drains;
    expect(accepted.frames).toHaveLength(0);
    pair.accepted.resume();
    await dialled.until(() => dialled.drains > drains);
    await accepted.received(sent);
    expect(accepted.frames.map(([first]) => first)).toStrictEqual(
      Array.from({ length: sent }, (_, index) => index & 0xff),
    );
    expect(pair.dialled.send(Uint8Array.of(1))).toBe(true);
  });

  it('delivers nothing more once it is paused from within a delivery', async () => {
    const pair = await open();
    const accepted = new LinkProbe(pair.accepted, (link) => link.pause());
    const sent = await fill(new LinkProbe(pair.dialled));
    await accepted.received(1);
    for (let count = 1; count < 5; count += 1) {
      expect(accepted.frames).toHaveLength(count);
      pair.accepted.resume();
      await accepted.received(count + 1);
    }
    expect(sent).toBeGreaterThan(5);
  });

  it('delivers to a reader that resumes late what was sent before an orderly end', async () => {
    const pair = await open();
    const dialled = new LinkProbe(pair.dialled);
    new LinkProbe(pair.accepted);
    pair.dialled.pause();
    for (let index = 0; index < 500; index += 1) pair.accepted.send(pattern(1_000, index));
    await pair.accepted.close();
    expect(dialled.frames).toHaveLength(0);
    pair.dialled.resume();
    await dialled.ended();
    expect(dialled.frames).toHaveLength(500);
    expect(dialled.ends).toStrictEqual([undefined]);
  });
}

function endsInOrder(open: OpenPair): void {
  it.each(['dialled', 'accepted'] as const)(
    'delivers what the %s end sent before it closed, then ends once on both sides',
    async (end) => {
      const pair = await open();
      const sender = new LinkProbe(pair[end]);
      const reader = new LinkProbe(pair[otherEnd[end]]);
      for (let index = 0; index < 1_000; index += 1) sender.link.send(pattern(500, index));
      await sender.link.close();
      await Promise.all([sender.ended(), reader.ended()]);
      expect(reader.frames).toHaveLength(1_000);
      await pair.end();
      expect([sender.ends, reader.ends]).toStrictEqual([[undefined], [undefined]]);
    },
  );

  it('may be closed twice and from both sides at once', async () => {
    const pair = await open();
    const probes = [new LinkProbe(pair.dialled), new LinkProbe(pair.accepted)];
    await Promise.all([pair.dialled.close(), pair.accepted.close(), pair.dialled.close()]);
    await pair.accepted.close();
    await Promise.all(probes.map((probe) => probe.ended()));
    await pair.end();
    expect(probes.map((probe) => probe.ends)).toStrictEqual([[undefined], [undefined]]);
  });

  it('ignores what is sent after the end', async () => {
    const pair = await open();
    const accepted = new LinkProbe(pair.accepted);
    const closing = pair.dialled.close();
    expect(pair.dialled.send(Uint8Array.of(1))).toBe(true);
    await closing;
    expect(pair.dialled.send(Uint8Array.of(2))).toBe(true);
    await accepted.ended();
    expect(pair.accepted.send(Uint8Array.of(3))).toBe(true);
    expect(accepted.frames).toHaveLength(0);
  });

  it('keeps frames and end for an owner that opens after the other side closed', async () => {
    const pair = await open();
    new LinkProbe(pair.accepted);
    pair.accepted.send(Uint8Array.of(1));
    await pair.accepted.close();
    const late = new LinkProbe(pair.dialled);
    await late.ended();
    expect(late.frames).toStrictEqual([Uint8Array.of(1)]);
    expect(late.ends).toStrictEqual([undefined]);
  });
}

function endsAtOnce(open: OpenPair): void {
  const reason = new SlimError('timeout', 'the peer did not negotiate');

  it.each(['dialled', 'accepted'] as const)(
    'tells the owner of the %s end why it was destroyed and ends once on both sides',
    async (end) => {
      const pair = await open();
      const destroyed = new LinkProbe(pair[end]);
      const other = new LinkProbe(pair[otherEnd[end]]);
      destroyed.link.destroy(reason);
      destroyed.link.destroy(new SlimError('aborted', 'a second time'));
      await Promise.all([destroyed.ended(), other.ended()]);
      await pair.end();
      expect(destroyed.ends).toStrictEqual([reason]);
      expect(other.ends).toHaveLength(1);
    },
  );

  it('delivers no frame after the end, even within a batch', async () => {
    const pair = await open();
    const accepted = new LinkProbe(pair.accepted, (link) => link.destroy(reason));
    for (let index = 0; index < 100; index += 1) pair.dialled.send(pattern(100, index));
    await accepted.ended();
    await pair.end();
    expect(accepted.frames).toHaveLength(1);
    expect(accepted.ends).toStrictEqual([reason]);
  });

  it('settles close after destroy', async () => {
    const pair = await open();
    const dialled = new LinkProbe(pair.dialled);
    pair.dialled.destroy(reason);
    await pair.dialled.close();
    expect(dialled.ends).toStrictEqual([reason]);
  });
}

const otherEnd = { dialled: 'accepted', accepted: 'dialled' } as const;

/**
 * Sends frames of 64 KiB, each beginning with its number, and waits whenever the link asks for it.
 * Returns how many there were when no `drained` came any more.
 */
async function fill(sender: LinkProbe): Promise<number> {
  const bound = 1_024;
  for (let sent = 1; sent <= bound; sent += 1) {
    const { drains } = sender;
    const wait = !sender.link.send(pattern(65_536, sent - 1));
    for (let turn = 0; turn === 0 || (wait && turn < 100); turn += 1) {
      await new Promise(setImmediate);
      if (sender.drains > drains) break;
    }
    if (wait && sender.drains === drains) return sent;
  }
  throw new Error(`${bound} frames of 64 KiB went to a reader that is paused`);
}

/** A frame that differs from its neighbours in its first byte and throughout. */
function pattern(length: number, seed: number): Uint8Array {
  const frame = new Uint8Array(length).fill(seed * 31 + 7);
  frame[0] = seed;
  return frame;
}

/** For comparing: a difference between two large arrays takes the matcher long to print. */
const text = (frame: Uint8Array): string => new TextDecoder('latin1').decode(frame);
