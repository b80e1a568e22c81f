import { median } from './statistics.mjs';

/** @typedef {import('./measure.mjs').Measured} Measured */

const headings = ['contender', 'figure', 'median', 'min – max', 'ratio'];

/**
 * One line a contender and figure. The ratio is the median of the ratios within each round, turned so
 * that above 1 is better than the baseline.
 * @param {Measured} measured
 * @returns {string[][]}
 */
function rows({ case: { figures, baseline }, values }) {
  return Object.entries(figures).flatMap(([figure, better]) =>
    Object.entries(values).map(([contender, figuresOf]) => {
      const own = figuresOf[figure] ?? [];
      const theirs = values[baseline]?.[figure] ?? [];
      const ratios = own.map((value, round) => {
        const other = theirs[round] ?? NaN;
        return better === 'higher' ? value / other : other / value;
      });
      const ratio = contender === baseline ? 'baseline' : `${number(median(ratios))} x`;
      const spread = `${number(Math.min(...own))} – ${number(Math.max(...own))}`;
      return [contender, figure, number(median(own)), spread, ratio];
    }),
  );
}

/**
 * The result of one case for a terminal.
 * @param {Measured} measured
 */
export function asText(measured) {
  const { name, job } = measured.case;
  const lines = align([headings, ...rows(measured)]);
  return [name, `  ${job}`, ...lines.map((line) => `  ${line.join('  ').trimEnd()}`), ''].join(
    '\n',
  );
}

/**
 * The result of one case for RESULTS.md, as Prettier would format it.
 * @param {Measured} measured
 */
export function asMarkdown(measured) {
  const { name, job } = measured.case;
  const [heading = [], ...lines] = align([headings, ...rows(measured)]);
  const rule = heading.map(({ length }, column) =>
    isText(column) ? '-'.repeat(length) : `${'-'.repeat(length - 1)}:`,
  );
  const table = [heading, rule, ...lines].map((line) => `| ${line.join(' | ')} |`);
  return [`## ${name}`, '', `${job}.`, '', ...table, ''].join('\n');
}

/**
 * Pads every cell to the width of its column.
 * @param {readonly string[][]} lines
 */
function align(lines) {
  const width = (/** @type {number} */ column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0));
  return lines.map((line) =>
    line.map((cell, column) =>
      isText(column) ? cell.padEnd(width(column)) : cell.padStart(width(column)),
    ),
  );
}

/**
 * Names stand to the left, numbers to the right.
 * @param {number} column
 */
const isText = (column) => column < 2;

/** @param {number} value */
const number = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
