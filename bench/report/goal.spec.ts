import { describe, expect, it } from '@jest/globals';
import { fakeResult, twiceAsFast as twice } from './fake-result.mjs';
import { checkGoals, outcomeOf, type Goal } from './goal.mjs';

const quick = {
  goal: 'answers at once',
  case: 'shouting',
  contender: 'ours',
  figure: 'p50 ms',
  below: 4,
};
const flat = { goal: 'stays as it is', family: 'crowds', contender: 'ours', exponentAtMost: 0.1 };

const crowd = (at: number, ms: number) =>
  fakeResult({
    name: `crowd of ${at}`,
    figures: { 'p50 ms': 'lower' },
    values: { ours: { 'p50 ms': [ms] } },
    family: 'crowds',
    at,
    growth: { dimension: 'people', expected: 'constant' },
  });

const reached = (goal: Goal, results = [fakeResult()]) => outcomeOf(goal, results).reached;

describe('outcomeOf', () => {
  it('says whether a contender is as many times better as wanted', () => {
    expect(outcomeOf(twice, [fakeResult()])).toStrictEqual({
      goal: 'answers twice as fast',
      of: 'shouting: p50 ms of ours to theirs',
      wanted: '2 x',
      measured: '2 x',
      reached: 'yes',
    });
    expect(reached({ ...twice, atLeast: 2.01 })).toBe('no');
  });

  it('says whether the median stays below a limit', () => {
    expect(reached({ ...quick, below: 4.01 })).toBe('yes');
    expect(reached(quick)).toBe('no');
  });

  it('says whether cost grows no faster than wanted', () => {
    expect(reached(flat, [crowd(2, 5), crowd(20, 5.1)])).toBe('yes');
    expect(reached(flat, [crowd(2, 5), crowd(20, 10)])).toBe('no');
  });

  it('says when nothing was measured', () => {
    const leftOut = fakeResult({ values: {}, leftOut: { ours: 'is hoarse', theirs: 'is shy' } });
    for (const goal of [twice, quick, flat]) {
      expect(reached(goal, [])).toBe('not measured');
      expect(reached(goal, [leftOut])).toBe('not measured');
    }
  });
});

describe('checkGoals', () => {
  const run = async () => ({});
  const shouting = { ...fakeResult(), contenders: { ours: run, theirs: run } };

  it('takes goals about what is measured', () => {
    expect(() =>
      checkGoals([twice, quick, flat], [shouting, { ...shouting, family: 'crowds' }]),
    ).not.toThrow();
  });

  it.each([
    { ...twice, case: 'whispering' },
    { ...twice, baseline: 'nobody' },
    { ...quick, figure: 'p40 ms' },
    { ...quick, contender: 'nobody' },
    flat,
  ])('refuses a goal that names what there is not', (goal) => {
    expect(() => checkGoals([goal], [shouting])).toThrow(goal.goal);
  });
});
