import { withProcesses } from './with-processes.mjs';

/**
 * One run of one contender: starts its processes, warms them up, measures, verifies what it counted,
 * and returns its figures by name.
 * @typedef {(start: import('./with-processes.mjs').Start) => Promise<Record<string, number>>} Run
 */

/**
 * The same job for several contenders.
 * @typedef {object} Case
 * @property {string} name
 * @property {string} job what is done, in one line
 * @property {Readonly<Record<string, 'higher' | 'lower'>>} figures which way each figure is better
 * @property {string} baseline the contender the others are compared with
 * @property {Readonly<Record<string, Run>>} contenders
 */

/**
 * All figures of a case; each list has one value a round.
 * @typedef {object} Measured
 * @property {Case} case
 * @property {Readonly<Record<string, Readonly<Record<string, number[]>>>>} values by contender and figure
 */

/** A run that takes longer hangs. */
const limitMs = 60_000;

/**
 * Runs a case round by round, the contenders in turn within each round, so that what else the machine
 * does hits all of them. Every run has fresh processes. Rejects when a run fails.
 * @param {Case} benchCase
 * @param {{ rounds: number, profileFolder?: string, onRun: (what: string) => void }} options
 * @returns {Promise<Measured>}
 */
export async function measure(benchCase, { rounds, profileFolder, onRun }) {
  /** @type {Record<string, Record<string, number[]>>} */
  const values = {};
  for (let round = 1; round <= rounds; round += 1) {
    for (const [contender, run] of Object.entries(benchCase.contenders)) {
      onRun(`${benchCase.name}: round ${round} of ${rounds}, ${contender}`);
      const name = `${benchCase.name}-${contender}-${round}`;
      const profile = profileFolder ? { folder: profileFolder, name } : undefined;
      const figures = await withProcesses({ limitMs, ...(profile && { profile }) }, run);
      const kept = (values[contender] ??= {});
      for (const [figure, value] of Object.entries(figures)) (kept[figure] ??= []).push(value);
    }
  }
  return { case: benchCase, values };
}
