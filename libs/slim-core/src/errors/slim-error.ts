/** The closed set of reasons a SLIM operation can fail for. Callers branch on these, never on text. */
export type SlimErrorCode =
  | 'invalid-name'
  | 'invalid-config'
  | 'link-failed'
  | 'link-closed'
  | 'negotiation-failed'
  | 'no-route'
  | 'timeout'
  | 'aborted'
  | 'not-delivered'
  | 'session-closed'
  | 'peer-lost'
  | 'identity-rejected'
  | 'mls-failure'
  | 'refused'
  | 'not-moderator'
  | 'already-a-member'
  | 'not-a-member'
  | 'message-too-large'
  | 'backpressure'
  | 'store-failed'
  | 'malformed-frame';

/** The one error class of the libraries. `code` says why, `message` names the offending value. */
export class SlimError extends Error {
  readonly code: SlimErrorCode;

  constructor(code: SlimErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SlimError';
    this.code = code;
  }

  /** Wraps a foreign error once, as the cause. A SlimError passes through unchanged. */
  static from(reason: unknown, code: SlimErrorCode, what?: string): SlimError {
    if (reason instanceof SlimError) return reason;
    const text = reason instanceof Error ? reason.message : String(reason);
    return new SlimError(code, what === undefined ? text : `${what}: ${text}`, { cause: reason });
  }
}
