import { Counter, Gauge, Registry } from 'prom-client';
import type { NodeSnapshot, ObservedNode } from './observed-node.js';
import { registerProcessMetrics } from './process-metrics.js';

/** The node as Prometheus reads it. What is counted is counted by the node, so no scrape loses anything. */
export class NodeMetrics {
  readonly #node: ObservedNode;
  readonly #registry = new Registry();
  readonly #links = this.#gauge('slim_node_links', 'Links by kind, direction and state.', [
    'kind',
    'direction',
    'state',
  ]);
  readonly #full = this.#gauge('slim_node_links_full', 'Links whose other end reads too slowly.');
  readonly #subscriptions = this.#gauge('slim_node_subscriptions', 'Subscriptions of all links.');
  readonly #running = this.#gauge(
    'slim_node_running',
    '1 while it takes links, 0 while it drains.',
  );
  readonly #info = this.#gauge('slim_node_info', 'Always 1; says what runs.', [
    'node_id',
    'version',
  ]);
  readonly #received = this.#counter('slim_node_received_frames_total', 'Frames from all links.');
  readonly #receivedBytes = this.#counter(
    'slim_node_received_bytes_total',
    'Bytes of these frames.',
  );
  readonly #forwarded = this.#counter(
    'slim_node_forwarded_frames_total',
    'Messages sent on, once for each link that got them.',
  );
  readonly #forwardedBytes = this.#counter(
    'slim_node_forwarded_bytes_total',
    'Bytes of the messages sent on.',
  );
  readonly #dropped = this.#counter(
    'slim_node_dropped_frames_total',
    'Frames that went nowhere, by reason.',
    ['reason'],
  );
  readonly #refused = this.#counter('slim_node_links_refused_total', 'Links that were not taken.');

  constructor(node: ObservedNode, version: string) {
    this.#node = node;
    const { nodeId } = node.snapshot();
    this.#info.set({ node_id: nodeId, version }, 1);
    registerProcessMetrics(this.#registry);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text that a scrape gets. */
  text(): Promise<string> {
    const snapshot = this.#node.snapshot();
    this.#showLinks(snapshot);
    const { counters, state } = snapshot;
    this.#running.set(state === 'running' ? 1 : 0);
    this.#subscriptions.set(counters.subscriptions);
    setCounter(this.#received, counters.received);
    setCounter(this.#receivedBytes, counters.receivedBytes);
    setCounter(this.#forwarded, counters.forwarded);
    setCounter(this.#forwardedBytes, counters.forwardedBytes);
    setCounter(this.#refused, counters.refused);
    this.#dropped.reset();
    for (const [reason, count] of Object.entries(counters.dropped)) {
      this.#dropped.inc({ reason }, count);
    }
    return this.#registry.metrics();
  }

  #showLinks({ links }: NodeSnapshot): void {
    this.#links.reset();
    // Every kind has a number, so that a graph shows 0 and not a gap.
    for (const kind of ['local', 'remote', 'peer', 'edge']) {
      this.#links.set({ kind, direction: 'incoming', state: 'established' }, 0);
    }
    for (const { kind, direction, state } of links) this.#links.inc({ kind, direction, state });
    this.#full.set(links.filter(({ isFull }) => isFull).length);
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}

/** The node counts; a counter of prom-client can only be increased. */
function setCounter(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
