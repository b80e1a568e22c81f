/** How one side of a session behaves in time. All values in milliseconds or counts. */
export interface SessionPolicy {
  /** Between transmissions of the same message. */
  readonly intervalMs: number;
  /** Transmissions after the first; then the message is given up. */
  readonly maxRetries: number;
  /** Between heartbeats; a peer that misses `maxSilentIntervals` of them is lost. */
  readonly heartbeatMs: number;
  readonly maxSilentIntervals: number;
  /** Messages on their way at once; further publishes wait. */
  readonly maxInFlight: number;
  /** Messages received but not read; further ones are not acknowledged. */
  readonly maxUnread: number;
  /** How long closing waits for the other side. */
  readonly closeMs: number;
  /** How long a member that was removed has to forget the channel, before it is invited again. */
  readonly reinviteMs: number;
  /** Sessions and channels of one application, those being opened included; further ones are refused. */
  readonly maxSessions: number;
}

/** The values of the official peer (reference: sessions 13), and our bounds. */
export const defaultSessionPolicy: SessionPolicy = {
  intervalMs: 1_000,
  maxRetries: 10,
  heartbeatMs: 10_000,
  maxSilentIntervals: 3,
  maxInFlight: 256,
  maxUnread: 4_096,
  closeMs: 3_000,
  reinviteMs: 500,
  maxSessions: 10_000,
};
