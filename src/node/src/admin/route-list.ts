import type { Clock } from '@nestjs-slim/core';
import type { ObservedNode, RouteSnapshot } from './observed-node.js';

/** Looking through more of them at once would hold up frames. */
const maxRoutes = 20_000;
const freshForMs = 2_000;

/** The routes of a node, as the status shows and searches them. */
export interface Routes {
  /** By name, then by id. */
  readonly sorted: readonly RouteSnapshot[];
  readonly namesByLink: ReadonlyMap<number, readonly string[]>;
  /** The node has more than these. */
  readonly isPartial: boolean;
}

/** Puts the routes in order, at most every two seconds, however many ask. */
export class RouteList {
  readonly #node: ObservedNode;
  readonly #clock: Clock;
  #last: { readonly atMs: number; readonly routes: Routes } | undefined;

  constructor(node: ObservedNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  get routes(): Routes {
    const atMs = this.#clock.now();
    const ageMs = this.#last ? atMs - this.#last.atMs : -1;
    if (!this.#last || ageMs < 0 || ageMs >= freshForMs)
      this.#last = { atMs, routes: this.#read() };
    return this.#last.routes;
  }

  #read(): Routes {
    const read = this.#node.routes(maxRoutes + 1);
    const sorted = read.slice(0, maxRoutes).sort(byName);
    return { sorted, namesByLink: namesByLink(sorted), isPartial: read.length > maxRoutes };
  }
}

function byName(one: RouteSnapshot, other: RouteSnapshot): number {
  if (one.name !== other.name) return one.name < other.name ? -1 : 1;
  return (one.id ?? '') < (other.id ?? '') ? -1 : 1;
}

function namesByLink(routes: readonly RouteSnapshot[]): ReadonlyMap<number, readonly string[]> {
  const names = new Map<number, string[]>();
  for (const { name, links } of routes) {
    for (const link of links) {
      const known = names.get(link);
      // Routes of one name are neighbours.
      if (!known) names.set(link, [name]);
      else if (known.at(-1) !== name) known.push(name);
    }
  }
  return names;
}
