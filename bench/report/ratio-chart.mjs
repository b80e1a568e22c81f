import { ratio } from './ratio.mjs';
import { ink } from './ink.mjs';

/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */

/**
 * One bar: how many times better a contender is than another.
 * @typedef {object} Bar
 * @property {string} label
 * @property {string} case
 * @property {string} contender
 * @property {string} baseline
 * @property {string} figure
 */

/** @typedef {{ readonly title: string, readonly bars: readonly Bar[] }} BarGroup */

const rowPx = 26;
const plotPx = 580;
const labelPx = 195;
/** Room on either side of the longest bars, for the numbers there. */
const numberPx = 62;

/**
 * Bars from 1 to the right for what is better, to the left for what is worse. Bars that were not
 * measured are not there.
 * @param {readonly BarGroup[]} groups
 * @param {readonly CaseResult[]} results
 * @returns {import('vega-lite').TopLevelSpec | undefined} nothing without bars
 */
export function ratioChart(groups, results) {
  const measured = groups
    .map(({ title, bars }) => ({ title, bars: bars.flatMap((bar) => measuredBar(bar, results)) }))
    .filter(({ bars }) => bars.length > 0);
  const all = measured.flatMap(({ bars }) => bars.map((bar) => bar.times));
  if (all.length === 0) return undefined;
  const domain = domainOf(all);
  return {
    padding: 12,
    spacing: 20,
    vconcat: measured.map((group, at) => groupSpec(group, domain, at === measured.length - 1)),
  };
}

/** @param {readonly number[]} ratios */
function domainOf(ratios) {
  const [least, most] = [Math.min(1, ...ratios), Math.max(2, ...ratios)];
  const margin = (most / least) ** (numberPx / (plotPx - 2 * numberPx));
  return [least / margin, most * margin];
}

/**
 * @param {Bar} bar
 * @param {readonly CaseResult[]} results
 */
function measuredBar({ label, case: name, ...of }, results) {
  const result = results.find((other) => other.name === name);
  const value = result && ratio(result, of);
  return value === undefined ? [] : [{ label, times: value, text: `${short(value)} ×` }];
}

/** @param {number} ratio */
const short = (ratio) => ratio.toFixed(ratio < 1 ? 2 : ratio < 10 ? 1 : 0);

/**
 * @param {{ title: string, bars: { label: string, times: number, text: string }[] }} group
 * @param {number[]} domain
 * @param {boolean} isLast
 * @returns {any} a part of a chart; its type is not exported
 */
function groupSpec({ title, bars }, domain, isLast) {
  /** @type {import('vega-lite/types_unstable/channeldef.js').PositionDef<string>} */
  const y = {
    field: 'label',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { labelLimit: 2 * labelPx, minExtent: labelPx, maxExtent: labelPx, labelPadding: 10 },
  };
  const ticks = [0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000];
  const x = {
    field: 'times',
    type: 'quantitative',
    scale: { type: 'log', domain, nice: false },
    title: isLast ? 'ours compared with theirs: right of 1 × is faster (logarithmic)' : null,
    axis: {
      values: ticks.filter((tick) => tick >= (domain[0] ?? 0) && tick <= (domain[1] ?? 0)),
      labelExpr: "datum.value + ' ×'",
      labels: isLast,
      labelOverlap: false,
      titlePadding: 8,
    },
  };
  const isBetter = 'datum.times >= 1';
  const color = { condition: { test: isBetter, value: ink.good }, value: ink.bad };
  return {
    title: { text: title, anchor: 'start', frame: 'group', dx: -labelPx, offset: 8 },
    width: plotPx,
    height: { step: rowPx },
    data: { values: bars },
    layer: [
      {
        mark: { type: 'bar', height: { band: 0.68 }, cornerRadius: 2 },
        encoding: { y, x, x2: { datum: 1 }, color },
      },
      {
        mark: { type: 'rule', color: ink.line, strokeWidth: 1.5 },
        encoding: { x: { datum: 1, type: 'quantitative' } },
      },
      {
        transform: [{ filter: isBetter }],
        mark: { type: 'text', align: 'left', dx: 6, fontWeight: 600 },
        encoding: { y, x, text: { field: 'text' } },
      },
      {
        transform: [{ filter: `!(${isBetter})` }],
        mark: { type: 'text', align: 'right', dx: -6, fontWeight: 600 },
        encoding: { y, x, text: { field: 'text' } },
      },
    ],
  };
}
