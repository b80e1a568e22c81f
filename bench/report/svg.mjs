import * as vega from 'vega';
import { compile } from 'vega-lite';
import { ink } from './ink.mjs';

const font = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif';

/** @typedef {{ text?: string, fontSize?: number }} TextItem */

/** @type {import('vega-lite').Config} */
const config = {
  background: 'transparent',
  font,
  view: { stroke: null },
  title: { color: ink.text, fontSize: 15, fontWeight: 600, subtitleColor: ink.text },
  axis: {
    labelColor: ink.text,
    labelFontSize: 13,
    titleColor: ink.text,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    gridColor: ink.line,
    gridOpacity: 0.25,
    domain: false,
    ticks: false,
  },
  text: { color: ink.text, fontSize: 13 },
};

// There is no canvas to measure text on, and Vega's own guess is a third too wide.
const emsPerLetter = 0.58;
/** @typedef {{ width: (item: TextItem, text?: string) => number }} TextMetrics */
// Vega's types lack them.
const { textMetrics } = /** @type {{ textMetrics: TextMetrics }} */ (/** @type {unknown} */ (vega));
/** @type {TextMetrics['width']} */
textMetrics.width = (item, text = item.text) =>
  String(text ?? '').length * emsPerLetter * (item.fontSize ?? 11);

/**
 * Draws a chart.
 * @param {import('vega-lite').TopLevelSpec} chart
 */
export async function toSvg(chart) {
  const { spec } = compile({ ...chart, config });
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
