import { appendFileSync, writeFileSync } from 'node:fs';
import { cases } from '../cases.mjs';
import { chartBars } from '../chart-bars.mjs';
import { goals } from '../goals.mjs';
import { growthChart } from './growth-chart.mjs';
import { growthOf } from './growth.mjs';
import { historyLine } from './history.mjs';
import { ratioChart } from './ratio-chart.mjs';
import { resultsDocument } from './results-document.mjs';
import { toSvg } from './svg.mjs';

/** @param {string} path below bench */
const file = (path) => new URL(`../${path}`, import.meta.url);

/**
 * Writes what the repository keeps of a run: RESULTS.md, a line of history.jsonl, the README's chart
 * and the one of growth. Results of cases that the bench no longer has are not in there.
 * @param {import('./bench-run.mjs').BenchRun} run
 */
export async function writeReports(run) {
  const byName = new Map(run.cases.map((result) => [result.name, result]));
  const results = cases.flatMap(({ name }) => byName.get(name) ?? []);
  const missing = cases.map(({ name }) => name).filter((name) => !byName.has(name));
  const known = { ...run, cases: results };

  const ratios = ratioChart(chartBars, results);
  const growth = growthChart(growthOf(results));
  if (ratios) writeFileSync(file('../docs/images/bench.svg'), await toSvg(ratios));
  if (growth) writeFileSync(file('growth.svg'), await toSvg(growth));
  writeFileSync(file('RESULTS.md'), resultsDocument({ run: known, goals, missing }));
  appendFileSync(file('history.jsonl'), historyLine(known));
}
