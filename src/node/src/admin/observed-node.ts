import type { NodeCounters, NodeEvents, NodeSnapshot, RouteSnapshot } from '@nestjs-slim/core';

export type {
  LinkEvent,
  LinkSnapshot,
  NodeSnapshot,
  RefusedEvent,
  RouteSnapshot,
} from '@nestjs-slim/core';

/** What is looked at from here; a `SlimNode` is one. */
export interface ObservedNode {
  readonly counters: NodeCounters;
  snapshot(): NodeSnapshot;
  routes(limit: number): readonly RouteSnapshot[];
  /** Returns how to stop listening. */
  on<Name extends keyof NodeEvents>(
    name: Name,
    listener: (event: NodeEvents[Name]) => void,
  ): () => void;
}
