import type { Clock } from '@nestjs-slim/core';
import type { LinkSnapshot, NodeSnapshot, ObservedNode } from './observed-node.js';
import { perSecond } from './traffic-history.js';

/** What a link carries, a second. */
export interface LinkRates {
  readonly receivedFrames: number;
  readonly receivedBytes: number;
  readonly sentFrames: number;
  readonly sentBytes: number;
  readonly dropped: number;
}

/** The node at one time, with what its links carried since the time before. */
export interface Sample {
  readonly atMs: number;
  readonly snapshot: NodeSnapshot;
  /** By id of the link; nothing when nobody looked shortly before. */
  readonly rates: ReadonlyMap<number, LinkRates>;
}

/** Several who look at the same time share one sample, so that each sees a rate over a useful time. */
const freshForMs = 900;
/** A rate over a longer time says nothing about now. */
const comparableForMs = 120_000;

/** Finds the rates of links from one look at the node to the next. It costs nothing while nobody looks. */
export class LinkRateMeter {
  readonly #node: ObservedNode;
  readonly #clock: Clock;
  #last: Sample | undefined;

  constructor(node: ObservedNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  sample(): Sample {
    const atMs = this.#clock.now();
    const last = this.#last;
    const ageMs = last ? atMs - last.atMs : Infinity;
    if (last && ageMs >= 0 && ageMs < freshForMs) return last;
    const snapshot = this.#node.snapshot();
    const isComparable = last !== undefined && ageMs > 0 && ageMs <= comparableForMs;
    const rates = isComparable ? ratesOf(snapshot, last.snapshot, ageMs) : new Map();
    return (this.#last = { atMs, snapshot, rates });
  }
}

function ratesOf(now: NodeSnapshot, before: NodeSnapshot, overMs: number): Map<number, LinkRates> {
  const earlier = new Map(before.links.map((link) => [link.id, link]));
  return new Map(now.links.map((link) => [link.id, rateOf(link, earlier.get(link.id), overMs)]));
}

/** All that a link has carried is new when it was not there before. */
function rateOf(now: LinkSnapshot, before: LinkSnapshot | undefined, overMs: number): LinkRates {
  const rate = (of: keyof LinkRates): number => perSecond(now[of] - (before?.[of] ?? 0), overMs);
  return {
    receivedFrames: rate('receivedFrames'),
    receivedBytes: rate('receivedBytes'),
    sentFrames: rate('sentFrames'),
    sentBytes: rate('sentBytes'),
    dropped: rate('dropped'),
  };
}
