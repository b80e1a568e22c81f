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
  const lines = [headings, ...rows(measured)];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line, column))));
  const text = lines.map((line) =>
    line.map((cell, at) => pad(cell, widths[at] ?? 0, at)).join('  '),
  );
  return [name, `  ${job}`, ...text.map((line) => `  ${line.trimEnd()}`), ''].join('\n');
}

/**
 * The result of one case for RESULTS.md.
 * @param {Measured} measured
 */
export function asMarkdown(measured) {
  const { name, job } = measured.case;
  const cells = rows(measured).map((line) => `| ${line.join(' | ')} |`);
  return [
    `## ${name}`,
    '',
    `${job}.`,
    '',
    `| ${headings.join(' | ')} |`,
    '| --- | --- | ---: | ---: | ---: |',
    ...cells,
    '',
  ].join('\n');
}

/**
 * @param {string[]} line
 * @param {number} column
 */
const width = (line, column) => (line[column] ?? '').length;

/**
 * Names to the left, numbers to the right.
 * @param {string} cell
 * @param {number} size
 * @param {number} column
 */
const pad = (cell, size, column) => (column < 2 ? cell.padEnd(size) : cell.padStart(size));

/** @param {number} value */
const number = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
