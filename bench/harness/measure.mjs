import { LeftOut } from './left-out.mjs';
import { withProcesses } from './with-processes.mjs';

/**
 * One run of one contender: starts its processes, warms them up, measures, verifies what it counted,
 * and returns its figures by name. Throws `LeftOut` where the contender cannot do the job.
 * @typedef {(start: import('./with-processes.mjs').Start) => Promise<Record<string, number>>} Run
 */

/** @typedef {'constant' | 'logarithmic' | 'linear' | 'linearithmic' | 'quadratic'} Order */

/**
 * The same job for several contenders.
 * @typedef {object} Case
 * @property {string} name
 * @property {string} job what is done, in one line
 * @property {Readonly<Record<string, 'higher' | 'lower'>>} figures which way each figure is better
 * @property {string} [baseline] the contender the others are compared with
 * @property {readonly string[]} [baselines] more of them, each with ratios of its own
 * @property {Readonly<Record<string, Run>>} contenders
 * @property {number} [limitMs] after which a run counts as hanging; a minute unless given
 * @property {string} [family] cases that do the same job for different `at`
 * @property {number} [at] how many there are of the dimension of `growth`
 * @property {Growth} [growth]
 */

/**
 * How the cost of a family should grow with its dimension.
 * @typedef {object} Growth
 * @property {string} dimension what there are n of, such as "members"
 * @property {Order} expected
 * @property {string} [figure] the cost that should grow so; the first figure unless given
 */

/**
 * What a case gave, as plain data: what the files of `--json` hold and every report is made of.
 * @typedef {object} CaseResult
 * @property {string} name
 * @property {string} job
 * @property {Readonly<Record<string, 'higher' | 'lower'>>} figures
 * @property {readonly string[]} baselines
 * @property {number} rounds
 * @property {string} [family]
 * @property {number} [at]
 * @property {Growth} [growth]
 * @property {Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>} values by contender
 *   and figure; one value a round
 * @property {Readonly<Record<string, string>>} leftOut reasons by contender
 */

/**
 * Told about every run.
 * @typedef {object} Watcher
 * @property {(benchCase: Case, contender: string) => void} started
 * @property {() => void} ended
 * @property {(benchCase: Case, contender?: string) => void} dropped no more runs of this contender, or
 *   of the whole case
 */

/** A run that takes longer hangs. */
const defaultLimitMs = 60_000;

/**
 * Runs a case round by round, the contenders in turn within each round, so that what else the machine
 * does hits all of them. Every run has fresh processes. Rejects when a run fails.
 * @param {Case} benchCase
 * @param {{ rounds: number, profileFolder?: string, watcher: Watcher }} options
 * @returns {Promise<CaseResult>}
 */
export async function measure(benchCase, { rounds, profileFolder, watcher }) {
  const { contenders, limitMs = defaultLimitMs } = benchCase;
  /** @type {Record<string, Record<string, number[]>>} */
  const values = {};
  /** @type {Record<string, string>} */
  const leftOut = {};
  for (let round = 1; round <= rounds; round += 1) {
    for (const [contender, run] of Object.entries(contenders)) {
      if (contender in leftOut) continue;
      watcher.started(benchCase, contender);
      const name = `${benchCase.name}-${contender}-${round}`;
      const profile = profileFolder ? { folder: profileFolder, name } : undefined;
      try {
        const figures = await withProcesses({ limitMs, ...(profile && { profile }) }, run);
        keep((values[contender] ??= {}), checked(benchCase, figures));
      } catch (reason) {
        if (!(reason instanceof LeftOut)) throw reason;
        leftOut[contender] = reason.message;
        delete values[contender]; // What it did before it gave up is no median.
        watcher.dropped(benchCase, contender);
      } finally {
        watcher.ended();
      }
    }
  }
  return { ...describe(benchCase), rounds, values, leftOut };
}

/**
 * What a result says about its case.
 * @param {Case} benchCase
 */
function describe({ name, job, figures, baseline, baselines = [], family, at, growth }) {
  return {
    name,
    job,
    figures,
    baselines: [...new Set([...(baseline === undefined ? [] : [baseline]), ...baselines])],
    ...(family !== undefined && { family }),
    ...(at !== undefined && { at }),
    ...(growth && { growth }),
  };
}

/**
 * @param {Case} benchCase
 * @param {Record<string, number>} figures
 */
function checked({ figures: declared }, figures) {
  for (const figure of Object.keys(declared)) {
    const value = figures[figure];
    if (value === undefined || !Number.isFinite(value)) {
      throw new Error(`expected a number for "${figure}", got ${value}`);
    }
  }
  return figures;
}

/**
 * @param {Record<string, number[]>} kept
 * @param {Record<string, number>} figures
 */
function keep(kept, figures) {
  for (const [figure, value] of Object.entries(figures)) (kept[figure] ??= []).push(value);
}
