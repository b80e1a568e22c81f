/**
 * Lines of cells, the first of them headings.
 * @typedef {object} Table
 * @property {readonly string[][]} lines
 * @property {number} textColumns how many columns, from the left, hold text; the others hold numbers
 */

/**
 * A table for a terminal.
 * @param {Table} table
 */
export function tableAsText(table) {
  return align(table)
    .map((line) => `  ${line.join('  ').trimEnd()}`)
    .join('\n');
}

/**
 * A table in Markdown, as Prettier would format it.
 * @param {Table} table
 */
export function tableAsMarkdown(table) {
  const [headings = [], ...lines] = align(table);
  const rule = headings.map(({ length }, column) =>
    column < table.textColumns ? '-'.repeat(length) : `${'-'.repeat(length - 1)}:`,
  );
  return [headings, rule, ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/**
 * Pads every cell to the width of its column: text stands to the left, numbers to the right.
 * @param {Table} table
 */
function align({ lines, textColumns }) {
  const width = (/** @type {number} */ column) =>
    Math.max(3, ...lines.map((line) => line[column]?.length ?? 0));
  return lines.map((line) =>
    line.map((cell, column) =>
      column < textColumns ? cell.padEnd(width(column)) : cell.padStart(width(column)),
    ),
  );
}
