import type { SlimError } from '../errors/slim-error.js';
import type { DropReason, LinkSnapshot } from './node-snapshot.js';

/** A link came or went. `reason` says why it was lost; undefined for an orderly end. */
export type LinkEvent =
  | { readonly kind: 'established'; readonly link: LinkSnapshot }
  | {
      readonly kind: 'closed';
      readonly link: LinkSnapshot;
      readonly reason: SlimError | undefined;
    };

/** A link was not taken, or an outgoing one could not be had. `remote` is where its other end is. */
export interface RefusedEvent {
  readonly remote: string;
  readonly reason: SlimError;
}

/** A frame went nowhere. It comes once a frame, so a listener sums up before it writes anything. */
export interface DropEvent {
  readonly reason: DropReason;
  /** The link it came from; with `overload`, the one it was for. */
  readonly link: number;
}

/** What a node tells those who watch it. No payloads, no tokens; ids and addresses are text of strangers. */
export interface NodeEvents {
  readonly link: LinkEvent;
  readonly refused: RefusedEvent;
  readonly drop: DropEvent;
}
