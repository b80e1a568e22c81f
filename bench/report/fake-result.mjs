/**
 * A result with made-up values, for specs.
 * @param {Partial<import('../harness/measure.mjs').CaseResult>} [given]
 * @returns {import('../harness/measure.mjs').CaseResult}
 */
export function fakeResult(given = {}) {
  return {
    name: 'shouting',
    job: 'as loud as it can',
    figures: { 'shouts/s': 'higher', 'p50 ms': 'lower' },
    baselines: ['theirs'],
    rounds: 3,
    values: {
      theirs: { 'shouts/s': [10, 20, 40], 'p50 ms': [8, 8, 8] },
      ours: { 'shouts/s': [20, 20, 20], 'p50 ms': [2, 4, 8] },
    },
    leftOut: {},
    ...given,
  };
}

/** A machine as results name one. */
export const fakeMachine = {
  cpu: 'abacus',
  cores: 2,
  memoryGiB: 1,
  os: 'wood',
  node: 'v20.0.0',
  load: 0.2,
  date: '2026-01-01',
};

/** A goal that `fakeResult` reaches. */
export const twiceAsFast = {
  goal: 'answers twice as fast',
  case: 'shouting',
  contender: 'ours',
  baseline: 'theirs',
  figure: 'p50 ms',
  atLeast: 2,
};
