import { caseAsMarkdown, leftOutLines } from './case-report.mjs';
import { number, power } from './format.mjs';
import { outcomeOf } from './goal.mjs';
import { exponentTolerance, growthOf } from './growth.mjs';
import { tableAsMarkdown } from './table.mjs';

/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */

const loadOfOthers = 0.5;

/**
 * The text of RESULTS.md.
 * @param {object} options
 * @param {import('./bench-run.mjs').BenchRun} options.run
 * @param {readonly import('./goal.mjs').Goal[]} options.goals
 * @param {readonly string[]} options.missing names of cases that were not measured
 */
export function resultsDocument({ run: { machine, commit, cases }, goals, missing }) {
  const sections = [
    introduction({ machine, commit, cases }),
    goalsSection(goals, cases),
    growthSection(cases),
    ['## Left out', ...leftOutSection(cases, missing)],
    ['## Cases', ...cases.map((result) => caseAsMarkdown(result).trimEnd())],
  ];
  return `${sections.flat().join('\n\n')}\n`;
}

/** @param {import('./bench-run.mjs').BenchRun} run */
function introduction({ machine, commit, cases }) {
  const { cpu, cores, memoryGiB, os, node, load, date } = machine;
  const counts = cases.map(({ rounds }) => rounds);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const rounds = fewest === most ? `${most}` : `${fewest} to ${most}`;
  const provisional =
    load > loadOfOthers ? '; other programs ran beside it, so the figures are provisional' : '';
  return [
    '# Benchmark results',
    `Written by \`npm run bench -- --write\` on ${date} at commit ${commit}.

- Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, Node ${node}
- Load average before the run: ${load}${provisional}
- Rounds: ${rounds}`,
    `Each contender of a case does the same job once a round, in turn with the others, with fresh
processes and a warm-up each time; whatever is counted was verified to arrive once, in order. Read the
ratio first: it is the median of the ratios within each round, and above 1 means better than the
baseline, for rates and for times. Median and spread are for orientation. All processes of a run share
the cores of one machine, and the rate of a case depends on how they get in each other's way: with other
programs beside them even ratios of rates have moved by a factor of two and more from run to run, CPU
time per message much less.`,
  ];
}

/**
 * @param {readonly import('./goal.mjs').Goal[]} goals
 * @param {readonly CaseResult[]} cases
 */
function goalsSection(goals, cases) {
  const outcomes = goals.map((goal) => outcomeOf(goal, cases));
  const lines = outcomes.map(({ goal, of, reached, wanted, measured }) => [
    goal,
    of,
    reached,
    wanted,
    measured,
  ]);
  const headings = ['goal', 'measured as', 'reached', 'wanted', 'measured'];
  const reachedCount = outcomes.filter(({ reached }) => reached === 'yes').length;
  return [
    '## Goals',
    `${reachedCount} of ${goals.length} are reached.`,
    tableAsMarkdown({ lines: [headings, ...lines], textColumns: 3 }),
  ];
}

/** @param {readonly CaseResult[]} cases */
function growthSection(cases) {
  const lines = growthOf(cases).flatMap(({ family, dimension, cost, expected, series }) =>
    series.map(({ contender, points, exponent, expectedExponent, asExpected }) => [
      family,
      contender,
      cost,
      points.map(({ n, cost: value }) => `${n.toLocaleString('en')}: ${number(value)}`).join(', '),
      `${expected} in ${dimension}`,
      asExpected ? 'yes' : 'no',
      power(expectedExponent),
      power(exponent),
    ]),
  );
  if (lines.length === 0) return [];
  const headings = ['family', 'contender', 'cost', 'at n', 'expected', 'held', 'slope', 'measured'];
  return [
    '## Growth',
    `How cost grows with n: the slope of a line through the medians, both axes logarithmic. \`slope\` is
what cost of exactly the expected order has between the same n; \`held\` says whether the measured slope
is no more than ${exponentTolerance} above it.`,
    '![Cost against n, both axes logarithmic](./growth.svg)',
    tableAsMarkdown({ lines: [headings, ...lines], textColumns: 6 }),
  ];
}

/**
 * @param {readonly CaseResult[]} cases
 * @param {readonly string[]} missing
 */
function leftOutSection(cases, missing) {
  /** @type {Map<string, string[]>} */
  const casesByReason = new Map();
  for (const result of cases) {
    for (const line of leftOutLines(result)) {
      casesByReason.set(line, [...(casesByReason.get(line) ?? []), result.name]);
    }
  }
  const lines = [...casesByReason].map(([line, names]) => `- ${line} (${names.join('; ')})`);
  if (missing.length > 0) lines.push(`- Cases that were not measured: ${missing.join('; ')}`);
  return lines.length === 0 ? ['Nothing.'] : [lines.join('\n')];
}
