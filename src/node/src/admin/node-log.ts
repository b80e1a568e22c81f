import type { Cancel, Clock } from '@nestjs-slim/core';
import { LineLimit } from './line-limit.js';
import type { Log } from './log.js';
import type {
  LinkEvent,
  LinkSnapshot,
  NodeSnapshot,
  ObservedNode,
  RefusedEvent,
} from './observed-node.js';

/** How often it is said what was dropped, and how often a flood of links may begin anew. */
const intervalMs = 10_000;
const linesPerInterval = 20;
/** Links that are named with what was dropped on them. */
const namedLinks = 5;

/**
 * Writes what happens to a node. Each line has the fields that are named here and no others; what comes once
 * a frame, or once a link when somebody opens thousands, is summed up.
 */
export class NodeLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #limit: LineLimit;
  #stopWatching: Cancel | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#limit = new LineLimit({
      ...{ clock, intervalMs, burst: linesPerInterval },
      report: (event, count) => {
        const fields = { event: 'lines-left-out', of: event, count };
        log.warn(fields, `${count} more lines of ${event} were left out`);
      },
    });
  }

  /** Something in the configuration has no effect, or not the one that its author may expect. */
  configWarning(path: string, message: string): void {
    this.#log.warn(
      { event: 'config-warning', path, message },
      `configuration: ${path}: ${message}`,
    );
  }

  started(fields: { readonly nodeId: string; readonly urls: readonly string[] }): void {
    const { nodeId, urls } = fields;
    this.#log.info({ event: 'started', nodeId, urls }, 'node started');
  }

  draining(deadlineMs: number): void {
    this.#log.info({ event: 'draining', deadlineMs }, 'node is draining');
  }

  stopped({ counters }: Pick<NodeSnapshot, 'counters'>): void {
    const { received, forwarded, dropped, refused } = counters;
    const fields = { event: 'stopped', received, forwarded, refused, dropped: nonZero(dropped) };
    this.#log.info(fields, 'node stopped');
  }

  /** A link was not taken: by the node, or by a listener that asks for credentials. */
  refused({ remote, reason }: RefusedEvent): void {
    if (!this.#limit.allows('refused')) return;
    const { code, message } = reason;
    const event = code === 'identity-rejected' ? 'authentication-refused' : 'link-refused';
    this.#log.warn({ event, remote, code, reason: message }, `link refused: ${code}`);
  }

  /** From now on writes what happens to the node, until `close`. */
  watch(node: ObservedNode): void {
    const stops = [
      node.on('link', (event) => this.#link(event)),
      node.on('refused', (event) => this.refused(event)),
      this.#sumUpDrops(node),
    ];
    this.#stopWatching = () => stops.forEach((stop) => stop());
  }

  /** Writes what was only counted so far. May be called twice. */
  close(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#limit.close();
  }

  #link(event: LinkEvent): void {
    if (!this.#limit.allows(`link ${event.kind}`)) return;
    const { id, kind, direction, remote, linkId, peerNodeId, peerVersion } = event.link;
    const link = { link: id, kind, direction, remote, linkId, peerNodeId, peerVersion };
    if (event.kind === 'established') {
      return this.#log.info({ event: 'link-established', ...link }, `link ${id} established`);
    }
    const { receivedFrames, sentFrames, dropped, sinceMs } = event.link;
    const lifetimeMs = this.#clock.now() - sinceMs;
    const totals = { lifetimeMs, receivedFrames, sentFrames, dropped };
    const fields = { event: 'link-closed', ...link, ...totals };
    if (!event.reason) return this.#log.info(fields, `link ${id} closed`);
    const { code, message: reason } = event.reason;
    this.#log.warn({ ...fields, code, reason }, `link ${id} closed: ${code}`);
  }

  /** Compares the counters from time to time, which costs a frame nothing. Returns how to stop. */
  #sumUpDrops(node: ObservedNode): Cancel {
    let before = node.snapshot();
    let fromMs = this.#clock.now();
    let cancel: Cancel;
    const sumUp = (): void => {
      const now = node.snapshot();
      const dropped = newDrops(now, before);
      const overMs = this.#clock.now() - fromMs;
      if (Object.keys(dropped).length > 0) {
        const fields = { event: 'dropped', dropped, overMs, links: worstLinks(now, before) };
        this.#log.warn(fields, `frames dropped: ${JSON.stringify(dropped)}`);
      }
      before = now;
      fromMs += overMs;
    };
    const again = (): void => {
      cancel = this.#clock.schedule(intervalMs, () => {
        sumUp();
        again();
      });
    };
    again();
    return () => {
      cancel();
      sumUp();
    };
  }
}

function nonZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function newDrops(now: NodeSnapshot, before: NodeSnapshot): Record<string, number> {
  const earlier: Readonly<Record<string, number>> = before.counters.dropped;
  const counts = Object.entries(now.counters.dropped);
  return nonZero(
    Object.fromEntries(counts.map(([reason, count]) => [reason, count - (earlier[reason] ?? 0)])),
  );
}

/** Of the links that are there still, those on which most was dropped. */
function worstLinks(now: NodeSnapshot, before: NodeSnapshot): object[] {
  const earlier = new Map(before.links.map(({ id, dropped }) => [id, dropped]));
  return now.links
    .map(({ id, remote, dropped }: LinkSnapshot) => {
      return { link: id, remote, dropped: dropped - (earlier.get(id) ?? 0) };
    })
    .filter(({ dropped }) => dropped > 0)
    .toSorted((one, other) => other.dropped - one.dropped)
    .slice(0, namedLinks);
}
