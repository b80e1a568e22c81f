import { asMarkdown } from './report.mjs';

const provisional = ', so other programs ran beside it and the figures are provisional';

/**
 * The text of RESULTS.md.
 * @param {object} run
 * @param {ReturnType<typeof import('./machine.mjs').describeMachine>} run.machine
 * @param {number} run.rounds
 * @param {readonly import('./measure.mjs').Measured[]} run.results
 */
export function resultsDocument({ machine, rounds, results }) {
  const { cpu, cores, memoryGiB, os, node, load, date } = machine;
  return `# Benchmark results

Written by \`npm run bench -- --write\` on ${date}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os},
Node ${node}. Load average before the run: ${load}${load > 0.5 ? provisional : ''}.

Each contender of a case does the same job in ${rounds} rounds, in turn with the others, with fresh
processes and a warm-up each time; whatever is counted was verified to arrive once, in order. Read the
ratio first: it is the median of the ratios within each round, and above 1 means better than the
baseline, for rates and for times. Median and spread are for orientation. All processes of a run share
the cores of one machine, and the rate of a case depends on how they get in each other's way: with other
programs beside them even ratios of rates have moved by a factor of two and more from run to run, CPU
time per message much less.

${results.map(asMarkdown).join('\n')}`;
}
