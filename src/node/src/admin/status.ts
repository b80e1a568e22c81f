import type { NodeCounters } from '@nestjs-slim/core';
import type { LinkRates, Sample } from './link-rates.js';
import type { LinkSnapshot, NodeSnapshot, RouteSnapshot } from './observed-node.js';
import type { Routes } from './route-list.js';
import type { LinkOrder, PageQuery, StatusQuery } from './status-query.js';
import type { Traffic } from './traffic-history.js';

/** A part of a list. */
export interface Page<Item> {
  /** Items of the whole list. */
  readonly total: number;
  /** Those of them that the search found. */
  readonly found: number;
  /** Where the part begins among those found. */
  readonly from: number;
  readonly items: readonly Item[];
}

/** A link, with the rates that were measured and some of the names behind it. */
export interface LinkStatus extends LinkSnapshot {
  readonly rates: LinkRates | null;
  /** The first names that were subscribed by the link. */
  readonly names: readonly string[];
}

/** What `/status.json` says. */
export interface NodeStatus {
  readonly node: {
    readonly nodeId: string;
    readonly version: string;
    readonly state: NodeSnapshot['state'];
    readonly startedAtMs: number;
    readonly nowMs: number;
  };
  readonly counters: NodeCounters;
  readonly traffic: Traffic;
  readonly links: Page<LinkStatus>;
  readonly routes: Page<RouteSnapshot> & {
    /** The node has more routes than `total`, which are neither shown nor searched. */
    readonly isPartial: boolean;
  };
}

/** What a status is made of. */
export interface StatusParts {
  readonly sample: Sample;
  readonly routes: Routes;
  readonly traffic: Traffic;
  readonly version: string;
}

const shownNames = 3;
const shownLinks = 50;
/** Strangers choose what they are called; the page shows two lines of it. */
const maxTextLength = 200;

/** The part of what a node knows that was asked for. */
export function nodeStatus(parts: StatusParts, query: StatusQuery): NodeStatus {
  const { sample, routes, traffic, version } = parts;
  const { nodeId, state, startedAtMs, counters } = sample.snapshot;
  return {
    node: { nodeId, version, state, startedAtMs, nowMs: sample.atMs },
    counters,
    traffic,
    links: linksPage(sample, routes, query.links),
    routes: routesPage(routes, query.routes),
  };
}

function linksPage(
  { snapshot, rates }: Sample,
  { namesByLink: names }: Routes,
  query: StatusQuery['links'],
): Page<LinkStatus> {
  const found = snapshot.links.filter((link) =>
    [link.remote, link.linkId, link.kind, link.peerNodeId, ...(names.get(link.id) ?? [])].some(
      (text) => has(text, query.search),
    ),
  );
  const page = pageOf(found.toSorted(byOrder(query.order, rates)), snapshot.links.length, query);
  const items = page.items.map((link) => ({
    ...link,
    remote: shorten(link.remote),
    linkId: link.linkId && shorten(link.linkId),
    peerNodeId: link.peerNodeId && shorten(link.peerNodeId),
    peerVersion: link.peerVersion && shorten(link.peerVersion),
    rates: rates.get(link.id) ?? null,
    names: (names.get(link.id) ?? []).slice(0, shownNames).map(shorten),
  }));
  return { ...page, items };
}

type Compare = (one: LinkSnapshot, other: LinkSnapshot) => number;

/** Those with the most first, and where that is the same the older link. */
function byOrder(order: LinkOrder, rates: Sample['rates']): Compare {
  const traffic = ({ id }: LinkSnapshot): number => {
    const rate = rates.get(id);
    return rate ? rate.receivedFrames + rate.sentFrames : 0;
  };
  const byId: Compare = (one, other) => one.id - other.id;
  const most = (of: (link: LinkSnapshot) => number): Compare => {
    return (one, other) => of(other) - of(one) || byId(one, other);
  };
  switch (order) {
    case 'id':
      return byId;
    case 'traffic':
      return most(traffic);
    case 'dropped':
      return most(({ dropped }) => dropped);
    case 'since':
      return most(({ sinceMs }) => sinceMs);
  }
}

function routesPage(
  { sorted, isPartial }: Routes,
  query: StatusQuery['routes'],
): NodeStatus['routes'] {
  const { search, link } = query;
  const found = sorted
    .filter(({ links }) => link === undefined || links.includes(link))
    .filter(({ name, id }) => has(name, search) || has(id, search));
  const page = pageOf(found, sorted.length, query);
  const items = page.items.map((route) => ({
    ...route,
    name: shorten(route.name),
    links: route.links.slice(0, shownLinks),
  }));
  return { ...page, items, isPartial };
}

function has(text: string | undefined, search: string): boolean {
  return text === undefined ? search === '' : text.toLowerCase().includes(search);
}

function shorten(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
}

function pageOf<Item>(found: readonly Item[], total: number, query: PageQuery): Page<Item> {
  const { from, limit } = query;
  return { total, found: found.length, from, items: found.slice(from, from + limit) };
}
