import { ManualClock } from '@nestjs-slim/core/testing';
import { describe, expect, it } from '@jest/globals';
import { FakeNode } from './testing/fake-node.js';
import { perSecond, TrafficHistory } from './traffic-history.js';

function setup() {
  const clock = new ManualClock();
  const node = new FakeNode();
  return { clock, node, history: new TrafficHistory(() => node.counters, clock) };
}

describe('TrafficHistory', () => {
  it('has the rate of each second, all reasons of drops together', () => {
    const { clock, node, history } = setup();
    node.count({ received: 10, forwarded: 8 }, { ttl: 1, 'no-route': 1 });
    clock.advance(1_000);
    node.count({ received: 15, forwarded: 8 });
    clock.advance(1_000);
    expect(history.traffic).toStrictEqual({
      ...{ intervalMs: 1_000, received: [10, 5], forwarded: [8, 0], dropped: [2, 0] },
    });
  });

  it('keeps two minutes', () => {
    const { clock, history } = setup();
    clock.advance(300_000);
    expect(history.traffic.received).toHaveLength(120);
  });

  it('leaves no timer when it is closed, twice', () => {
    const { clock, history } = setup();
    clock.advance(1_000);
    history.close();
    history.close();
    expect(clock.pending).toBe(0);
  });
});

describe('perSecond', () => {
  it('is 0 where no time has passed', () => {
    expect([perSecond(5, 0), perSecond(5, -1), perSecond(1, 3_000)]).toStrictEqual([0, 0, 0.3]);
  });
});
