/** What became of everything that was published in the channel. */
export interface RoomOutcome {
  readonly published: number;
  /** Of these, what all who were in have, as their publisher was told. */
  readonly delivered: number;
  readonly received: number;
  readonly memberships: number;
  /** Times that somebody came, left or was removed. */
  readonly changes: number;
  readonly epoch: number;
  /** Sessions and messages that reached somebody who was never invited. */
  readonly heardOutside: number;
  /** Changes that failed, by kind and code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Delivered, and yet a member does not have it. */
  readonly lost: readonly string[];
  /** Came twice or out of order. */
  readonly disordered: readonly string[];
  /** Read by a member that was removed before. */
  readonly afterRemoval: readonly string[];
  readonly wrong: readonly string[];
  /** The messages that were delivered and whose publishers waited for the guest, too. */
  readonly toGuest: readonly string[];
}
