import { describe, expect, it } from '@jest/globals';
import { fakeMachine as machine, fakeResult, twiceAsFast as goal } from './fake-result.mjs';
import { historyLine } from './history.mjs';
import { resultsDocument } from './results-document.mjs';

const crowd = (at: number) =>
  fakeResult({
    name: `crowd of ${at}`,
    figures: { 'p50 ms': 'lower' },
    values: { ours: { 'p50 ms': [at] } },
    leftOut: { third: 'is not installed' },
    family: 'crowds',
    at,
    growth: { dimension: 'people', expected: 'constant' },
  });
const run = { machine, commit: 'abc1234', cases: [fakeResult(), crowd(2), crowd(20)] };

describe('RESULTS.md', () => {
  const lines = resultsDocument({ run, goals: [goal], missing: ['whispering'] }).split('\n');

  it('says first which goals are reached', () => {
    expect(lines.filter((line) => line.startsWith('## '))).toStrictEqual([
      '## Goals',
      '## Growth',
      '## Left out',
      '## Cases',
    ]);
    expect(lines).toContain('1 of 1 are reached.');
    expect(lines).toContain(
      '| answers twice as fast | shouting: p50 ms of ours to theirs | yes     |    2 x |      2 x |',
    );
  });

  it('sets the measured order beside the expected one', () => {
    expect(lines).toContain(
      '| crowds | ours      | p50 ms | 2: 2, 20: 20 | constant in people | no   |   n^0 |      n^1 |',
    );
  });

  it('says once why a contender is missing, and which cases are', () => {
    expect(lines).toContain('- third: is not installed (crowd of 2; crowd of 20)');
    expect(lines).toContain('- Cases that were not measured: whispering');
  });

  it('has a line for every contender and figure', () => {
    expect(lines).toContain('| ours      | p50 ms   |      4 |     2 – 8 |      2 x |');
  });

  it('says when the machine was busy', () => {
    const busy = { ...run, machine: { ...machine, load: 3 } };
    expect(resultsDocument({ run: busy, goals: [], missing: [] })).toContain('provisional');
    expect(lines.join('\n')).not.toContain('provisional');
  });
});

describe('history.jsonl', () => {
  it('keeps medians and ratios, and why a contender is missing', () => {
    const line = historyLine({ machine, commit: 'abc1234', cases: [fakeResult(), crowd(2)] });
    expect(line.endsWith('}\n')).toBe(true);
    const { date: _, ...rest } = machine;
    expect(JSON.parse(line)).toStrictEqual({
      date: '2026-01-01',
      commit: 'abc1234',
      machine: rest,
      cases: {
        shouting: {
          theirs: { 'shouts/s': { median: 20, ratios: {} }, 'p50 ms': { median: 8, ratios: {} } },
          ours: {
            'shouts/s': { median: 20, ratios: { theirs: 1 } },
            'p50 ms': { median: 4, ratios: { theirs: 2 } },
          },
        },
        'crowd of 2': { ours: { 'p50 ms': { median: 2, ratios: {} } }, third: 'is not installed' },
      },
    });
  });
});
