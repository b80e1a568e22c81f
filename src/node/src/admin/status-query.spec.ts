import { describe, expect, it } from '@jest/globals';
import { parseStatusQuery } from './status-query.js';

const parse = (text: string) => parseStatusQuery(new URLSearchParams(text));

describe('parseStatusQuery', () => {
  it('shows the first of everything unless asked otherwise', () => {
    const page = { search: '', from: 0, limit: 100 };
    expect(parse('')).toStrictEqual({ links: { ...page, order: 'id' }, routes: page });
  });

  it('reads each parameter', () => {
    const links = 'links_search= Acme &links_from=25&links_limit=10&links_order=traffic';
    expect(parse(`${links}&routes_limit=1000&routes_link=4`)).toStrictEqual({
      links: { search: 'acme', from: 25, limit: 10, order: 'traffic' },
      routes: { search: '', from: 0, limit: 1_000, link: 4 },
    });
  });

  it.each([
    ['links_limit=1001', 'links_limit: expected a whole number of at most 1000, got "1001"'],
    ['links_from=-1', 'links_from: expected a whole number of at most 2147483647, got "-1"'],
    ['routes_link=x', 'routes_link: expected a whole number of at most 2147483647, got "x"'],
    ['links_order=name', 'links_order: expected one of id, traffic, dropped, since, got "name"'],
    [`routes_search=${'x'.repeat(201)}`, 'routes_search: expected at most 200 characters'],
    ['page=2', /^page: expected one of links_search, /],
  ])('refuses %s', (text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'invalid-config' }));
    expect(() => parse(text)).toThrow(message);
  });
});
