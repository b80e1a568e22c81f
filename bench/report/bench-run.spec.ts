import { describe, expect, it } from '@jest/globals';
import { mergeRuns } from './bench-run.mjs';
import { fakeMachine as machine, fakeResult } from './fake-result.mjs';

const part = (name: string, rounds: number) => fakeResult({ name, rounds });

describe('mergeRuns', () => {
  it('takes a case that was measured again as it was measured last, in its old place', () => {
    const { cases } = mergeRuns([
      { machine, commit: 'a', cases: [part('one', 1), part('two', 1)] },
      { machine, commit: 'a', cases: [part('three', 2), part('one', 2)] },
    ]);
    expect(cases.map(({ name, rounds }) => [name, rounds])).toStrictEqual([
      ['one', 2],
      ['two', 1],
      ['three', 2],
    ]);
  });

  it('names every commit, the last day and the highest load', () => {
    const later = { ...machine, date: '2026-01-02', load: 0.1 };
    const merged = mergeRuns([
      { machine, commit: 'a', cases: [] },
      { machine: later, commit: 'b', cases: [] },
    ]);
    expect(merged).toStrictEqual({
      machine: { ...machine, date: '2026-01-02', load: 0.2 },
      commit: 'a, b',
      cases: [],
    });
  });

  it('refuses results of different machines', () => {
    const other = { ...machine, cores: 64 };
    expect(() =>
      mergeRuns([
        { machine, commit: 'a', cases: [] },
        { machine: other, commit: 'a', cases: [] },
      ]),
    ).toThrow('not one machine');
  });
});
