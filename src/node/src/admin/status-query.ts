import { SlimError } from '@nestjs-slim/core';

/** By what the links of a page stand in order. */
export const linkOrders = ['id', 'traffic', 'dropped', 'since'] as const;
export type LinkOrder = (typeof linkOrders)[number];

/** Which part of a list is asked for. */
export interface PageQuery {
  /** Only what has this text somewhere; all when empty. */
  readonly search: string;
  readonly from: number;
  readonly limit: number;
}

/** What `/status.json` is asked for. */
export interface StatusQuery {
  readonly links: PageQuery & { readonly order: LinkOrder };
  readonly routes: PageQuery & { /** Only routes to this link. */ readonly link?: number };
}

const maxLimit = 1_000;
const defaultLimit = 100;
const maxCount = 2 ** 31 - 1;
const maxSearchLength = 200;

const known = new Set([
  ...['links_search', 'links_from', 'links_limit', 'links_order'],
  ...['routes_search', 'routes_from', 'routes_limit', 'routes_link'],
]);

/** Reads the query of a URL. @throws SlimError `invalid-config` that names what is wrong and what was expected */
export function parseStatusQuery(query: URLSearchParams): StatusQuery {
  for (const name of query.keys()) {
    if (!known.has(name)) throw refusal(name, `one of ${[...known].join(', ')}`);
  }
  const page = (of: 'links' | 'routes'): PageQuery => ({
    search: searchIn(query, `${of}_search`),
    from: countIn(query, `${of}_from`, maxCount) ?? 0,
    limit: countIn(query, `${of}_limit`, maxLimit) ?? defaultLimit,
  });
  const link = countIn(query, 'routes_link', maxCount);
  return {
    links: { ...page('links'), order: orderIn(query) },
    routes: { ...page('routes'), ...(link !== undefined && { link }) },
  };
}

function searchIn(query: URLSearchParams, name: string): string {
  const text = query.get(name) ?? '';
  if (text.length <= maxSearchLength) return text.trim().toLowerCase();
  throw refusal(name, `at most ${maxSearchLength} characters`);
}

function countIn(query: URLSearchParams, name: string, max: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) <= max) return Number(text);
  throw refusal(name, `a whole number of at most ${max}, got "${text.slice(0, 20)}"`);
}

function orderIn(query: URLSearchParams): LinkOrder {
  const text = query.get('links_order') ?? 'id';
  const order = linkOrders.find((one) => one === text);
  if (order) return order;
  throw refusal('links_order', `one of ${linkOrders.join(', ')}, got "${text.slice(0, 20)}"`);
}

function refusal(name: string, expected: string): SlimError {
  return new SlimError('invalid-config', `${name.slice(0, 40)}: expected ${expected}`);
}
