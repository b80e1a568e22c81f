import { median } from '../harness/statistics.mjs';

/** @typedef {import('../harness/measure.mjs').CaseResult} CaseResult */
/** @typedef {import('../harness/measure.mjs').Order} Order */
/** @typedef {{ readonly n: number, readonly cost: number }} Point */

/**
 * How the cost of one contender grows: as n to the power of `exponent`.
 * @typedef {object} Series
 * @property {string} contender
 * @property {readonly Point[]} points
 * @property {number} exponent
 * @property {number} expectedExponent what cost of exactly the expected order would have given
 * @property {boolean} asExpected does not grow faster
 */

/**
 * A family of cases as curves of cost against n.
 * @typedef {object} FamilyGrowth
 * @property {string} family
 * @property {string} dimension
 * @property {Order} expected
 * @property {string} cost what is plotted, with its unit
 * @property {readonly Series[]} series
 */

/** What noise may add to an exponent. */
export const exponentTolerance = 0.15;

/** @type {Readonly<Record<Order, (n: number) => number>>} */
export const orders = {
  constant: () => 1,
  logarithmic: (n) => 1 + Math.log2(n),
  linear: (n) => n,
  linearithmic: (n) => n * (1 + Math.log2(n)),
  quadratic: (n) => n * n,
};

/**
 * The growth of every family among the results. A contender with fewer than two points has none.
 * @param {readonly CaseResult[]} results
 * @returns {FamilyGrowth[]}
 */
export function growthOf(results) {
  const families = new Map(results.map((result) => [result.family, result]));
  return [...families].flatMap(([family, { growth, figures }]) => {
    const figure = growth?.figure ?? Object.keys(figures)[0];
    if (family === undefined || !growth || figure === undefined) return [];
    const { dimension, expected } = growth;
    const members = results.filter((result) => result.family === family);
    const contenders = new Set(members.flatMap(({ values }) => Object.keys(values)));
    const series = [...contenders].flatMap((contender) => {
      const points = pointsOf(members, contender, figure);
      return points.length < 2 ? [] : [{ contender, points, ...fit(points, expected) }];
    });
    const cost = costOf(figure, figures[figure]).name;
    return series.length === 0 ? [] : [{ family, dimension, expected, cost, series }];
  });
}

/**
 * The slope of cost against n, both as logarithms, by least squares.
 * @param {readonly Point[]} points at least two different n; n and cost above 0
 */
export function exponentOf(points) {
  const x = points.map(({ n }) => Math.log(n));
  const y = points.map(({ cost }) => Math.log(cost));
  const [meanX, meanY] = [mean(x), mean(y)];
  const along = sum(x.map((value, at) => (value - meanX) * ((y[at] ?? NaN) - meanY)));
  return along / sum(x.map((value) => (value - meanX) ** 2));
}

/**
 * @param {readonly Point[]} points
 * @param {Order} expected
 */
function fit(points, expected) {
  const exponent = exponentOf(points);
  const expectedExponent = exponentOf(points.map(({ n }) => ({ n, cost: orders[expected](n) })));
  const asExpected = exponent <= expectedExponent + exponentTolerance;
  return { exponent, expectedExponent, asExpected };
}

/**
 * Medians by n.
 * @param {readonly CaseResult[]} members
 * @param {string} contender
 * @param {string} figure
 */
function pointsOf(members, contender, figure) {
  return members
    .flatMap(({ at: n, values, figures }) => {
      const { of } = costOf(figure, figures[figure]);
      const cost = of(median(values[contender]?.[figure] ?? []));
      return n !== undefined && n > 0 && cost > 0 && Number.isFinite(cost) ? [{ n, cost }] : [];
    })
    .sort((a, b) => a.n - b.n);
}

/**
 * A figure as a cost, which is better when it is lower: "frames/s" cost "us/frame".
 * @param {string} figure
 * @param {'higher' | 'lower' | undefined} better
 * @returns {{ name: string, of: (value: number) => number }}
 */
function costOf(figure, better) {
  if (better !== 'higher') return { name: figure, of: (value) => value };
  const [, things] = /^(.+)\/s$/.exec(figure) ?? [];
  if (!things) throw new Error(`expected a rate per second, got "${figure}"`);
  const thing = things.replace(/ies$/, 'y').replace(/s$/, '');
  return { name: `us/${thing}`, of: (rate) => 1e6 / rate };
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** @param {readonly number[]} values */
const mean = (values) => sum(values) / values.length;
