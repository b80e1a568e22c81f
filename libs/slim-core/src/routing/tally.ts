import type { SlimError } from '../errors/slim-error.js';
import { Emitter } from '../events/emitter.js';
import type { Connection } from './connection.js';
import type { NodeEvents } from './node-events.js';
import type { DropReason } from './node-snapshot.js';

/** What a node counts, and tells those who watch it. */
export class Tally {
  readonly events = new Emitter<NodeEvents>();
  readonly dropped: Record<DropReason, number> = noDrops();
  received = 0;
  receivedBytes = 0;
  forwarded = 0;
  forwardedBytes = 0;
  refused = 0;

  /** A frame went nowhere. The connection is the one it came from; with `overload`, the one it was for. */
  drop(reason: DropReason, connection: Connection): void {
    this.dropped[reason] += 1;
    connection.dropped += 1;
    if (this.events.has('drop')) this.events.emit('drop', { reason, link: connection.id });
  }

  /** A link was not taken, or could not be had. */
  refuse(remote: string, reason: SlimError): void {
    this.refused += 1;
    this.events.emit('refused', { remote, reason });
  }
}

const noDrops = (): Record<DropReason, number> => ({
  malformed: 0,
  'header-mac': 0,
  ttl: 0,
  'no-route': 0,
  'too-large': 0,
  duplicate: 0,
  overload: 0,
  limit: 0,
});
