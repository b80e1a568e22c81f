import type { SlimError } from '../errors/slim-error.js';

/** What a link tells its owner. No event is delivered before `open` or after `closed`. */
export interface LinkEvents {
  /** One complete frame; the receiver owns the bytes. */
  frame(bytes: Uint8Array): void;
  /** The link can take frames again after `send` returned false. */
  drained(): void;
  /** The link is gone, whoever ended it; exactly once. `undefined` means an orderly end. */
  closed(reason: SlimError | undefined): void;
}

/**
 * A connection that carries whole frames (encoded `dataplane.proto.v1.Message`) in order, both ways.
 * It knows nothing of what is in them: negotiation and the header MAC live above it.
 */
export interface Link {
  /** Where the other end is, for messages to people. */
  readonly remote: string;
  /** Starts delivery of frames and events. Called once; frames that came earlier are kept for it. */
  open(events: LinkEvents): void;
  /**
   * Queues a frame, whose bytes then belong to the link. False asks the caller to wait for `drained`;
   * the frame is taken all the same. Ignored after the link ended.
   */
  send(frame: Uint8Array): boolean;
  /** Stops reading, so that the sender at the other end has to wait. */
  pause(): void;
  resume(): void;
  /**
   * Ends the link in order, frames already queued first. May be called twice; settles when it is gone.
   * A reason, why the other end is not wanted, is told to it where the transport can say one: it then sees
   * the link end with a SlimError `refused`.
   */
  close(reason?: SlimError): Promise<void>;
  /** Ends the link at once and tells the owner why. */
  destroy(reason: SlimError): void;
}

/** Dials the other end of a link. */
export interface LinkDialler {
  /** Where it dials, for messages to people. */
  readonly target: string;
  /**
   * Opens a link.
   * @throws SlimError `link-failed` when nobody answers, `aborted` when the signal fires first,
   *   `identity-rejected` when our credentials are refused, `invalid-config` for a certificate that cannot be used
   */
  dial(signal: AbortSignal): Promise<Link>;
}

/** Accepts links until it is closed. Closing it ends the links it accepted. */
export interface LinkListener {
  /** Where it listens, as a URL that a dialler takes. */
  readonly url: string;
  /** Settles when the port is free and every accepted link is gone. May be called twice. */
  close(): Promise<void>;
}

/** Largest frame of a link in bytes (reference: data plane 7.1). */
export const maxFrameBytes = 4 * 1024 * 1024;
