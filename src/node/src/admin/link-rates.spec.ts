import { ManualClock } from '@nestjs-slim/core/testing';
import { describe, expect, it } from '@jest/globals';
import { LinkRateMeter } from './link-rates.js';
import { FakeNode, fakeLink } from './testing/fake-node.js';

function setup() {
  const clock = new ManualClock();
  const node = new FakeNode();
  return { clock, node, meter: new LinkRateMeter(node, clock) };
}

describe('LinkRateMeter', () => {
  it('has no rates at first, then those since the last look', () => {
    const { clock, node, meter } = setup();
    node.links = [fakeLink({ id: 1, receivedFrames: 100 })];
    expect(meter.sample().rates.size).toBe(0);
    clock.advance(2_000);
    node.links = [fakeLink({ id: 1, receivedFrames: 300, sentBytes: 50 })];
    const rates = meter.sample().rates.get(1);
    expect(rates).toMatchObject({ receivedFrames: 100, sentBytes: 25, sentFrames: 0 });
  });

  it('counts all of a link that came since', () => {
    const { clock, node, meter } = setup();
    meter.sample();
    clock.advance(1_000);
    node.links = [fakeLink({ id: 2, receivedFrames: 7 })];
    expect(meter.sample().rates.get(2)?.receivedFrames).toBe(7);
  });

  it('looks at the node once for several that ask at the same time', () => {
    const { clock, node, meter } = setup();
    meter.sample();
    clock.advance(500);
    meter.sample();
    expect(node.snapshots).toBe(1);
  });

  it('has no rates over a time in which nobody looked', () => {
    const { clock, node, meter } = setup();
    node.links = [fakeLink({ id: 1 })];
    meter.sample();
    clock.advance(3_600_000);
    expect(meter.sample().rates.size).toBe(0);
  });
});
