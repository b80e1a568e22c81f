import { describe, expect, it } from '@jest/globals';
import { fakeResult } from './fake-result.mjs';
import { exponentOf, growthOf, orders } from './growth.mjs';

const ns = [2, 10, 50, 200];
type Order = keyof typeof orders;

/** A family in which `ours` costs what the order says. */
const family = (measured: Order, expected: Order, figure = 'ms in all') =>
  ns.map((n) => {
    const isRate = figure.endsWith('/s');
    const cost = 3 * orders[measured](n);
    return fakeResult({
      name: `invite ${n}`,
      figures: { [figure]: isRate ? 'higher' : 'lower' },
      values: { ours: { [figure]: [isRate ? 1e6 / cost : cost] } },
      family: 'invite',
      at: n,
      growth: { dimension: 'members', expected },
    });
  });

describe('growth', () => {
  it.each([
    ['constant', 0],
    ['linear', 1],
    ['quadratic', 2],
  ] as const)('measures %s cost as n to the power of %d', (order, exponent) => {
    const points = ns.map((n) => ({ n, cost: 7 * orders[order](n) }));
    expect(exponentOf(points)).toBeCloseTo(exponent, 10);
  });

  it('finds every order to be what it is expected to be, and no order a lower one', () => {
    const byOrder = Object.keys(orders) as Order[];
    const found = byOrder.map((expected) =>
      byOrder.filter((order) => growthOf(family(order, expected))[0]?.series[0]?.asExpected),
    );
    expect(found).toStrictEqual(byOrder.map((_, at) => byOrder.slice(0, at + 1)));
  });

  it('takes a rate as the cost of one', () => {
    const [growth] = growthOf(family('linear', 'linear', 'deliveries/s'));
    expect(growth?.cost).toBe('us/delivery');
    const points = growth?.series[0]?.points ?? [];
    expect(points.map(({ n, cost }) => [n, Math.round(cost)])).toStrictEqual(
      ns.map((n) => [n, 3 * n]),
    );
    expect(growth?.series[0]?.exponent).toBeCloseTo(1, 10);
  });

  it('needs two points of a contender', () => {
    expect(growthOf(family('linear', 'linear').slice(0, 1))).toStrictEqual([]);
  });

  it('is of cases in a family only', () => {
    expect(growthOf([fakeResult()])).toStrictEqual([]);
  });
});
