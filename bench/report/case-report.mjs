import { median } from '../harness/statistics.mjs';
import { number, times } from './format.mjs';
import { ratio } from './ratio.mjs';
import { tableAsMarkdown, tableAsText } from './table.mjs';

/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */

/**
 * The result of one case for a terminal.
 * @param {CaseResult} result
 */
export function caseAsText(result) {
  const leftOut = leftOutLines(result).map((line) => `  left out: ${line}`);
  return [result.name, `  ${result.job}`, tableAsText(caseTable(result)), ...leftOut, ''].join(
    '\n',
  );
}

/**
 * The result of one case for RESULTS.md.
 * @param {CaseResult} result
 */
export function caseAsMarkdown(result) {
  return [`### ${result.name}`, `${result.job}.`, tableAsMarkdown(caseTable(result)), ''].join(
    '\n\n',
  );
}

/**
 * Who was left out, and why; one line each.
 * @param {CaseResult} result
 */
export function leftOutLines({ leftOut }) {
  return Object.entries(leftOut).map(([contender, reason]) => `${contender}: ${reason}`);
}

/**
 * One line a contender and figure, one ratio a baseline.
 * @param {CaseResult} result
 * @returns {import('./table.mjs').Table}
 */
function caseTable(result) {
  const { figures, baselines, values } = result;
  const headings = baselines.map((baseline) => (baselines.length > 1 ? `to ${baseline}` : 'ratio'));
  const lines = Object.keys(figures).flatMap((figure) =>
    Object.entries(values).map(([contender, figuresOf]) => {
      const own = figuresOf[figure] ?? [];
      const ratios = baselines.map((baseline) =>
        contender === baseline ? 'baseline' : times(ratio(result, { contender, baseline, figure })),
      );
      const spread = `${number(Math.min(...own))} – ${number(Math.max(...own))}`;
      return [contender, figure, number(median(own)), spread, ...ratios];
    }),
  );
  const first = ['contender', 'figure', 'median', 'min – max'];
  return { lines: [[...first, ...headings], ...lines], textColumns: 2 };
}
