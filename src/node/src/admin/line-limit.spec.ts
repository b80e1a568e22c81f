import { ManualClock } from '@nestjs-slim/core/testing';
import { describe, expect, it } from '@jest/globals';
import { LineLimit } from './line-limit.js';

function setup() {
  const clock = new ManualClock();
  const reports: string[] = [];
  const report = (kind: string, count: number) => void reports.push(`${kind} ${count}`);
  return { clock, reports, limit: new LineLimit({ clock, intervalMs: 100, burst: 2, report }) };
}

describe('LineLimit', () => {
  it('lets the first of each kind through and reports how many it held back', () => {
    const { clock, reports, limit } = setup();
    expect(['a', 'a', 'a', 'b', 'a'].map((kind) => limit.allows(kind))).toStrictEqual([
      ...[true, true, false, true, false],
    ]);
    clock.advance(100);
    expect(reports).toStrictEqual(['a 2']);
    expect(limit.allows('a')).toBe(true);
  });

  it('reports nothing when nothing was held back, and keeps no timer then', () => {
    const { clock, reports, limit } = setup();
    limit.allows('a');
    clock.advance(100);
    expect(reports).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('reports the rest once when it is closed, twice', () => {
    const { clock, reports, limit } = setup();
    for (let count = 0; count < 5; count += 1) limit.allows('a');
    limit.close();
    limit.close();
    expect(reports).toStrictEqual(['a 3']);
    expect(clock.pending).toBe(0);
  });
});
