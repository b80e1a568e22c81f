import { describe, expect, it } from '@jest/globals';
import { namePattern } from './name-pattern.js';

describe('a pattern of names', () => {
  it.each([
    ['acme/shop/gateway', 'acme/shop/gateway'],
    ['acme/billing/*', 'acme/billing/invoices'],
    ['acme/*/audit', 'acme/ops/audit'],
    ['*/*/*', 'any/thing/goes'],
    [' acme / shop / * ', 'acme/shop/gateway'],
  ])('%s means %s', (pattern, name) => {
    expect(namePattern(pattern)(name)).toBe(true);
  });

  it.each([
    ['acme/shop/gateway', 'acme/shop/gateway2'],
    ['acme/shop/gateway', 'acme/shop/Gateway'],
    ['acme/shop/gateway', ' acme/shop/gateway'],
    ['acme/shop/gateway', 'acme/shop/gateway/'],
    ['acme/shop/gateway', 'acme/shop/gateway/7'],
    ['acme/shop/gateway', 'acme/shop'],
    ['acme/shop/gateway', 'acme/shop/*'],
    ['acme/shop/gateway', '*/*/*'],
    ['acme/shop/gateway', ''],
    ['acme/billing/*', 'acme/shop/gateway'],
    ['acme/billing/*', 'acme/billing/'],
    ['acme/billing/*', 'acme/billing/a/b'],
    ['acme/billing/*', 'x/acme/billing/a'],
    ['ac.e/billing/*', 'acme/billing/a'],
    ['*/*/*', '//'],
    ['*/*/*', 'billing-1'],
  ])('%s does not mean "%s"', (pattern, name) => {
    expect(namePattern(pattern)(name)).toBe(false);
  });

  it.each([
    ['', 'expected org/namespace/service'],
    ['gateway', 'expected org/namespace/service'],
    ['acme/shop', 'expected org/namespace/service'],
    ['acme//gateway', 'expected org/namespace/service'],
    ['acme/shop/gateway/*', 'expected org/namespace/service'],
    ['acme/shop/gateway/000102030405060708090a0b0c0d0e0f', 'one instance'],
    ['acme/shop/gate*', 'a whole part'],
    ['acme/**/gateway', 'a whole part'],
    ['acme/shop/gateway#pay', 'no operation'],
  ])('"%s" is refused, and named', (pattern, why) => {
    const refused = expect.objectContaining({ name: 'SlimError', code: 'invalid-name' });
    expect(() => namePattern(pattern)).toThrow(refused);
    expect(() => namePattern(pattern)).toThrow(`"${pattern}"`);
    expect(() => namePattern(pattern)).toThrow(why);
  });
});
