import { median } from '../harness/statistics.mjs';
import { ratio } from './ratio.mjs';

/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */

const digits = 4;

/**
 * One line for history.jsonl: what every contender of every case came to, without the rounds.
 * @param {import('./bench-run.mjs').BenchRun} run
 */
export function historyLine({ machine: { date, ...machine }, commit, cases }) {
  const outcomes = Object.fromEntries(cases.map((result) => [result.name, contenders(result)]));
  return `${JSON.stringify({ date, commit, machine, cases: outcomes })}\n`;
}

/** @param {CaseResult} result */
function contenders(result) {
  const measured = Object.entries(result.values).map(([contender, figuresOf]) => {
    const figures = Object.entries(figuresOf).map(([figure, values]) => {
      const ratios = result.baselines
        .filter((baseline) => baseline !== contender)
        .flatMap((baseline) => {
          const value = ratio(result, { contender, baseline, figure });
          return value === undefined ? [] : [[baseline, rounded(value)]];
        });
      return [figure, { median: rounded(median(values)), ratios: Object.fromEntries(ratios) }];
    });
    return [contender, Object.fromEntries(figures)];
  });
  return Object.fromEntries([...measured, ...Object.entries(result.leftOut)]);
}

/** @param {number} value */
const rounded = (value) => Number(value.toPrecision(digits));
