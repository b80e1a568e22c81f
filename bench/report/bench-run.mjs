import { readFileSync, writeFileSync } from 'node:fs';

/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */
/** @typedef {ReturnType<typeof import('../harness/machine.mjs').describeMachine>} Machine */

/**
 * Everything that runs of the bench measured; what a file of `--json` holds.
 * @typedef {object} BenchRun
 * @property {Machine} machine
 * @property {string} commit
 * @property {readonly CaseResult[]} cases
 */

/**
 * @param {string} path
 * @param {BenchRun} run
 */
export function writeRun(path, run) {
  writeFileSync(path, `${JSON.stringify(run, undefined, 2)}\n`);
}

/**
 * @param {string} path
 * @returns {BenchRun}
 */
export const readRun = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * Parts of a bench as one; a case that was measured again counts as it was measured last. All must
 * come from one machine, because their figures will stand beside each other.
 * @param {readonly BenchRun[]} runs at least one
 * @returns {BenchRun}
 */
export function mergeRuns(runs) {
  const last = runs.at(-1);
  if (!last) throw new Error('expected results of at least one run');
  const others = runs.filter(({ machine }) => fixed(machine) !== fixed(last.machine));
  if (others[0]) {
    throw new Error(`not one machine: ${fixed(others[0].machine)} and ${fixed(last.machine)}`);
  }
  const byName = new Map(runs.flatMap(({ cases }) => cases.map((result) => [result.name, result])));
  const load = Math.max(...runs.map(({ machine }) => machine.load));
  const commits = [...new Set(runs.map(({ commit }) => commit))];
  return {
    machine: { ...last.machine, load },
    commit: commits.join(', '),
    cases: [...byName.values()],
  };
}

/**
 * What does not change on a machine.
 * @param {Machine} machine
 */
const fixed = ({ cpu, cores, memoryGiB, os, node }) =>
  `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, Node ${node}`;
