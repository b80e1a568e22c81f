import { median } from '../harness/statistics.mjs';

/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */

/**
 * How much better a contender is than another: the median of the ratios within each round, turned so
 * that above 1 is better, for rates and for times. Undefined when one of them has no such figure.
 * @param {CaseResult} result
 * @param {{ contender: string, baseline: string, figure: string }} of
 */
export function ratio({ figures, values }, { contender, baseline, figure }) {
  const own = values[contender]?.[figure];
  const theirs = values[baseline]?.[figure];
  if (!own || !theirs) return undefined;
  const rounds = Math.min(own.length, theirs.length);
  const ratios = Array.from({ length: rounds }, (_, round) => {
    const [value = NaN, other = NaN] = [own[round], theirs[round]];
    return figures[figure] === 'lower' ? other / value : value / other;
  });
  return median(ratios);
}
