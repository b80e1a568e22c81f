import { power } from './format.mjs';
import { orders } from './growth.mjs';
import { ink } from './ink.mjs';

/** @typedef {import('./growth.mjs').FamilyGrowth} FamilyGrowth */

const columns = 2;
const plotPx = { width: 295, height: 190 };
const labelPx = 52;
/** Ours are cold, the others warm; shapes tell them apart for those who do not see colours. */
const colours = {
  ours: ['#3b82f6', '#16a07a', '#7c6ff0'],
  others: ['#e07b24', '#c45ab3', '#a38a1d'],
};
const shapes = ['circle', 'square', 'triangle-up', 'diamond'];

/**
 * One plot a family: medians against n, each with the order it was measured to have, above a dashed line
 * of the order expected.
 * @param {readonly FamilyGrowth[]} families
 * @returns {import('vega-lite').TopLevelSpec | undefined} nothing without families
 */
export function growthChart(families) {
  if (families.length === 0) return undefined;
  return {
    padding: 12,
    spacing: { row: 34, column: 44 },
    concat: families.map(familySpec),
    columns,
    resolve: { scale: { color: 'independent', shape: 'independent' } },
  };
}

/**
 * @param {FamilyGrowth} growth
 * @returns {any} a part of a chart; its type is not exported
 */
function familySpec({ family, dimension, cost, expected, series }) {
  const named = series.map((one) => ({ ...one, name: nameOf(one) }));
  const values = named.flatMap(({ name, points }) => points.map((point) => ({ name, ...point })));
  const domain = named.map(({ name }) => name);
  const ns = [...new Set(values.map(({ n }) => n))].sort((a, b) => a - b);
  const x = {
    field: 'n',
    type: 'quantitative',
    scale: { type: 'log', nice: false, domain: [(ns[0] ?? 1) / 1.15, (ns.at(-1) ?? 1) * 1.15] },
    title: `${dimension} (n)`,
    axis: { values: ns, format: ',', grid: false, labelOverlap: false },
  };
  const costs = yDomain(values.map((value) => value.cost));
  const y = {
    field: 'cost',
    type: 'quantitative',
    scale: { type: 'log', nice: false, domain: costs },
    title: cost,
    axis: { minExtent: labelPx, values: ticks(costs), format: ',~f', labelOverlap: false },
  };
  const legend = {
    title: null,
    orient: 'bottom',
    direction: 'vertical',
    labelColor: ink.text,
    labelFontSize: 13,
    labelLimit: plotPx.width,
    symbolSize: 70,
    offset: 8,
  };
  const kind = { field: 'name', type: 'nominal', sort: domain, legend };
  const encoding = {
    x,
    y,
    color: { ...kind, scale: { domain, range: coloursOf(series) } },
    shape: { ...kind, scale: { domain, range: shapes } },
  };
  return {
    title: {
      text: family,
      subtitle: `expected: ${expected}, ${power(series[0]?.expectedExponent ?? NaN)} (dashed)`,
      anchor: 'start',
      frame: 'group',
      dx: -labelPx - 16,
      subtitleFontSize: 13,
      offset: 10,
    },
    ...plotPx,
    layer: [
      {
        data: { values: expectedLine(ns, values, expected) },
        mark: { type: 'line', strokeDash: [5, 4], color: ink.line, strokeWidth: 1.5, clip: true },
        encoding: { x, y },
      },
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 2 },
        encoding: { x, y, color: encoding.color },
      },
      { data: { values }, mark: { type: 'point', filled: true, size: 70, opacity: 1 }, encoding },
    ],
  };
}

/** @param {readonly import('./growth.mjs').Series[]} series */
function coloursOf(series) {
  const [ours, others] = [[...colours.ours], [...colours.others]];
  return series.map(({ contender }) =>
    String((contender.startsWith('our') ? ours : others).shift() ?? ink.line),
  );
}

/** @param {import('./growth.mjs').Series} series */
const nameOf = ({ contender, exponent }) => `${contender}: ${power(exponent)}`;

/**
 * Cost of exactly the expected order that starts where the cheapest contender does.
 * @param {readonly number[]} ns
 * @param {readonly import('./growth.mjs').Point[]} points
 * @param {import('../harness/measure.mjs').Order} expected
 */
function expectedLine(ns, points, expected) {
  const first = ns[0] ?? 1;
  const start = Math.min(...points.filter(({ n }) => n === first).map(({ cost }) => cost));
  const steps = Array.from(
    { length: 33 },
    (_, at) => first * ((ns.at(-1) ?? 1) / first) ** (at / 32),
  );
  return steps.map((n) => ({ n, cost: (start * orders[expected](n)) / orders[expected](first) }));
}

/**
 * At least one power of ten, so that noise does not look like growth.
 * @param {readonly number[]} costs
 */
function yDomain(costs) {
  const [least, most] = [Math.min(...costs), Math.max(...costs)];
  const stretch = Math.max(1.3, Math.sqrt(10 / (most / least)));
  return [least / stretch, most * stretch];
}

/** How far a number stands from the ends of its axis, where it would push the title away. */
const edge = 1.2;

/**
 * Round numbers: powers of ten, and where these are few 2 and 5 times them.
 * @param {readonly number[]} domain
 */
function ticks([least = 1, most = 1]) {
  const first = Math.floor(Math.log10(least));
  const powers = Array.from({ length: Math.ceil(Math.log10(most)) - first }, (_, at) => first + at);
  const steps = powers.length > 2 ? [1] : [1, 2, 5];
  return powers
    .flatMap((power) => steps.map((step) => step * 10 ** power))
    .filter((tick) => tick >= least * edge && tick <= most / edge);
}
