import type { Tagged } from '../names/tagged.js';

/** Number of a connection in the table of one node. */
export type ConnectionId = Tagged<number, 'ConnectionId'>;

/** How close a connection is; the first category with a receiver wins (reference: data plane 5.3). */
export const categories = ['local', 'remote', 'peer', 'edge'] as const;
export type Category = (typeof categories)[number];

/** What a node dials as; applications in its own process need no dialling. */
export type OutgoingKind = Exclude<Category, 'local'>;
