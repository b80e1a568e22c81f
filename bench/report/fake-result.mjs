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
