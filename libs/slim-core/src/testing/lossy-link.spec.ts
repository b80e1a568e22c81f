import { describe, expect, it } from '@jest/globals';
import { memoryLinkPair } from '../link/memory-link.js';
import { LinkProbe } from './link-probe.js';
import { LossyLinks, type Faults } from './lossy-link.js';
import { ManualClock } from './manual-clock.js';
import { turns } from './turns.js';

const none: Faults = { drop: 0, duplicate: 0, delay: 0, maxDelayMs: 100, cut: 0 };
const publish = (number: number): Uint8Array => Uint8Array.of(0x1a, 1, number);
const subscribe = (number: number): Uint8Array => Uint8Array.of(0x0a, 1, number);

function setup(seed = 1) {
  const clock = new ManualClock();
  const links = new LossyLinks(seed, clock);
  const [near, far] = memoryLinkPair();
  const sender = new LinkProbe(links.wrap(near));
  const receiver = new LinkProbe(far);
  const send = async (...frames: Uint8Array[]): Promise<number[]> => {
    for (const frame of frames) sender.link.send(frame);
    await turns();
    return receiver.frames.splice(0).map((frame) => frame[2] ?? -1);
  };
  return { clock, links, sender, receiver, send };
}

const hundred = Array.from({ length: 100 }, (_, number) => number);

describe('LossyLinks', () => {
  it('carries everything until it is told otherwise, and after it is healed', async () => {
    const { links, send } = setup();
    expect(await send(...hundred.map(publish))).toStrictEqual(hundred);
    links.begin({ ...none, drop: 1 });
    expect(await send(publish(1))).toStrictEqual([]);
    links.heal();
    expect(await send(publish(2))).toStrictEqual([2]);
  });

  it('does the same for the same seed', async () => {
    const faults = { ...none, drop: 0.3, duplicate: 0.2, delay: 0.3 };
    const outcome = async (seed: number): Promise<number[]> => {
      const { clock, links, send } = setup(seed);
      links.begin(faults);
      const at = await send(...hundred.map(publish));
      clock.advance(100);
      return [...at, ...(await send())];
    };
    expect(await outcome(7)).toStrictEqual(await outcome(7));
    expect(await outcome(7)).not.toStrictEqual(await outcome(8));
  });

  it('loses, repeats and reorders in both directions', async () => {
    const { clock, links, sender, receiver, send } = setup();
    links.begin({ ...none, drop: 0.2 });
    expect((await send(...hundred.map(publish))).length).toBeLessThan(95);
    links.begin({ ...none, duplicate: 1 });
    expect(await send(publish(1))).toStrictEqual([1]);
    clock.advance(100);
    expect(await send()).toStrictEqual([1]);
    links.begin({ ...none, delay: 0.5 });
    const first = await send(...hundred.map(publish));
    clock.advance(100);
    const all = [...first, ...(await send())];
    expect(all).not.toStrictEqual(hundred);
    expect(all.toSorted((a, b) => a - b)).toStrictEqual(hundred);
    links.begin({ ...none, drop: 1 });
    receiver.link.send(publish(1));
    await turns();
    expect(sender.frames).toStrictEqual([]);
  });

  it('hands on what it holds back when it is healed', async () => {
    const { clock, links, send } = setup();
    links.begin({ ...none, delay: 1 });
    expect(await send(publish(1))).toStrictEqual([]);
    links.heal();
    expect(await send()).toStrictEqual([1]);
    expect(clock.pending).toBe(0);
  });

  it('leaves everything but publishes alone, and cuts a link as a whole', async () => {
    const { links, sender, receiver, send } = setup();
    links.begin({ ...none, drop: 1 });
    expect(await send(subscribe(5))).toStrictEqual([5]);
    links.begin({ ...none, cut: 1 });
    await send(publish(1));
    expect(sender.ends).toMatchObject([{ code: 'link-failed' }]);
    expect(receiver.ends).toHaveLength(1);
  });
});
