import { median } from '../harness/statistics.mjs';
import { number, power, times } from './format.mjs';
import { growthOf } from './growth.mjs';
import { ratio } from './ratio.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */

/**
 * A contender is at least so many times better than another.
 * @typedef {object} RatioGoal
 * @property {string} goal
 * @property {string} case
 * @property {string} contender
 * @property {string} baseline
 * @property {string} figure
 * @property {number} atLeast
 */

/**
 * A figure stays below a limit.
 * @typedef {object} LimitGoal
 * @property {string} goal
 * @property {string} case
 * @property {string} contender
 * @property {string} figure
 * @property {number} below
 */

/**
 * The cost of a family grows no faster than n to this power.
 * @typedef {object} GrowthGoal
 * @property {string} goal
 * @property {string} family
 * @property {string} contender
 * @property {number} exponentAtMost
 */

/** @typedef {RatioGoal | LimitGoal | GrowthGoal} Goal */

/**
 * What a goal came to.
 * @typedef {object} Outcome
 * @property {string} goal
 * @property {string} of where it was measured
 * @property {string} wanted
 * @property {string} measured
 * @property {'yes' | 'no' | 'not measured'} reached
 */

/**
 * @param {Goal} goal
 * @param {readonly CaseResult[]} results
 * @returns {Outcome}
 */
export function outcomeOf(goal, results) {
  if ('family' in goal) return growthOutcome(goal, results);
  const result = results.find(({ name }) => name === goal.case);
  return 'baseline' in goal ? ratioOutcome(goal, result) : limitOutcome(goal, result);
}

/**
 * Fails for a goal about something that the bench does not measure.
 * @param {readonly Goal[]} goals
 * @param {readonly Case[]} cases
 */
export function checkGoals(goals, cases) {
  for (const goal of goals) {
    const measuring = cases.filter((benchCase) =>
      'family' in goal
        ? benchCase.family === goal.family
        : benchCase.name === goal.case && goal.figure in benchCase.figures,
    );
    const named = 'baseline' in goal ? [goal.contender, goal.baseline] : [goal.contender];
    const has = (/** @type {Case} */ { contenders }) => named.every((name) => name in contenders);
    if (measuring.length === 0 || !measuring.every(has)) {
      throw new Error(`the goal "${goal.goal}" names what no case has: ${JSON.stringify(goal)}`);
    }
  }
}

/**
 * @param {RatioGoal} goal
 * @param {CaseResult | undefined} result
 * @returns {Outcome}
 */
function ratioOutcome({ goal, contender, baseline, figure, atLeast, ...of }, result) {
  const measured = result && ratio(result, { contender, baseline, figure });
  return {
    goal,
    of: `${of.case}: ${figure} of ${contender} to ${baseline}`,
    wanted: times(atLeast),
    measured: times(measured),
    reached: reached(measured, (value) => value >= atLeast),
  };
}

/**
 * @param {LimitGoal} goal
 * @param {CaseResult | undefined} result
 * @returns {Outcome}
 */
function limitOutcome({ goal, contender, figure, below, ...of }, result) {
  const values = result?.values[contender]?.[figure];
  const measured = values && median(values);
  return {
    goal,
    of: `${of.case}: ${figure} of ${contender}`,
    wanted: `< ${number(below)}`,
    measured: measured === undefined ? '–' : number(measured),
    reached: reached(measured, (value) => value < below),
  };
}

/**
 * @param {GrowthGoal} goal
 * @param {readonly CaseResult[]} results
 * @returns {Outcome}
 */
function growthOutcome({ goal, family, contender, exponentAtMost }, results) {
  const growth = growthOf(results).find((other) => other.family === family);
  const series = growth?.series.find((other) => other.contender === contender);
  return {
    goal,
    of: `${family}: ${growth ? `${growth.cost} of ` : ''}${contender}`,
    wanted: `≤ ${power(exponentAtMost)}`,
    measured: series ? power(series.exponent) : '–',
    reached: reached(series?.exponent, (value) => value <= exponentAtMost),
  };
}

/**
 * @param {number | undefined} measured
 * @param {(measured: number) => boolean} holds
 */
const reached = (measured, holds) =>
  measured === undefined ? 'not measured' : holds(measured) ? 'yes' : 'no';
