import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { BackoffPolicy } from '../link/backoff.js';
import { dialLink, dialNotAborted } from '../link/dial-link.js';
import { LinkFrames } from '../link/link-frames.js';
import { maxFrameBytes, type Link, type LinkDialler, type LinkEvents } from '../link/link.js';
import { Redial } from '../link/redial.js';
import type { Frame } from '../wire/frame.js';
import { connectionType } from '../wire/link-message.js';

/** Where the link of an application stands. */
export type LinkStatus = 'connected' | 'reconnecting' | 'closed';

/** What an uplink needs. */
export interface UplinkOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Tried in turn. */
  readonly diallers: readonly LinkDialler[];
  /** The diallers reach a node in this process, with which nothing is negotiated. */
  readonly local: boolean;
  readonly linkId: string;
  readonly nodeId: string;
  readonly backoff: BackoffPolicy;
}

/** What an uplink tells the application. */
export interface UplinkEvents {
  received(message: Frame): void;
  /** A frame was refused; nothing else is lost. */
  dropped(reason: SlimError): void;
  /** `reason` says why a link was lost. */
  status(status: LinkStatus, reason: SlimError | undefined): void;
}

interface Established {
  readonly link: Link;
  readonly frames: LinkFrames;
  full: boolean;
}

/** Room that a node may need for the header fields it adds. */
const forwardingBytes = 128;

/**
 * The one link of an application to its node: negotiates, signs and checks header MACs, and dials again,
 * with growing pauses, whenever the link is lost.
 */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #events: UplinkEvents;
  readonly #stop = new AbortController();
  readonly #writers = new Set<{ resolve(): void; reject(reason: SlimError): void }>();
  readonly #redial: Redial;
  #established: Established | undefined;
  #reconnecting: Promise<void> | undefined;

  constructor(options: UplinkOptions, events: UplinkEvents) {
    this.#options = options;
    this.#events = events;
    const { clock, crypto, backoff } = options;
    const failed = (reason: SlimError): boolean => {
      events.status('reconnecting', reason);
      return true;
    };
    const { signal } = this.#stop;
    const attempt = (): Promise<void> => this.#dialAny(signal);
    this.#redial = new Redial({ clock, crypto, backoff, signal, attempt, failed });
  }

  get isConnected(): boolean {
    return this.#established !== undefined;
  }

  get isWritable(): boolean {
    return this.#established?.full === false;
  }

  /**
   * Opens the link for the first time, by the first node that answers.
   * @throws SlimError `link-failed`, `negotiation-failed`, `aborted`
   */
  async connect(signal?: AbortSignal): Promise<void> {
    const stop = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
    await this.#dialAny(stop);
  }

  /**
   * Signs a message for this link and sends it. Without a link it is lost, as on any network.
   * @throws SlimError `message-too-large`
   */
  send(message: Frame): void {
    const established = this.#established;
    const bytes = (established?.frames ?? unlinked).encode(message);
    const limit = maxFrameBytes - forwardingBytes;
    if (bytes.length > limit) {
      throw new SlimError(
        'message-too-large',
        `a message of ${bytes.length} bytes; a link takes ${limit} bytes`,
      );
    }
    if (established && !established.link.send(bytes)) established.full = true;
  }

  /** Settles when the link takes messages. @throws SlimError `link-closed`, `aborted` */
  whenWritable(signal?: AbortSignal): Promise<void> {
    if (this.isWritable) return Promise.resolve();
    if (this.#stop.signal.aborted) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => (): void => {
        this.#writers.delete(writer);
        signal?.removeEventListener('abort', onAbort);
        action();
      };
      const onAbort = (): void =>
        writer.reject(SlimError.from(signal?.reason, 'aborted', 'gave up'));
      const writer = {
        resolve: settle(resolve),
        reject: (reason: SlimError): void => settle(() => reject(reason))(),
      };
      this.#writers.add(writer);
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Ends the link and stops dialling. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(closed());
    for (const writer of this.#writers) writer.reject(closed());
    const established = this.#established;
    this.#established = undefined;
    await established?.link.close();
    await this.#reconnecting;
    this.#events.status('closed', undefined);
  }

  async #dialAny(signal: AbortSignal): Promise<void> {
    let failure = new SlimError('invalid-config', 'expected at least one node to connect to');
    for (const dialler of this.#options.diallers) {
      try {
        return await this.#dial(dialler, signal);
      } catch (reason) {
        failure = SlimError.from(reason, 'link-failed', dialler.target);
        if (signal.aborted) break;
      }
    }
    throw failure;
  }

  async #dial(dialler: LinkDialler, signal: AbortSignal): Promise<void> {
    const { crypto, clock, linkId, nodeId, local } = this.#options;
    if (local) {
      const link = await dialNotAborted(dialler, signal);
      return link.open(this.#establish(link, new LinkFrames(undefined)));
    }
    const type = connectionType.edge;
    const options = { crypto, clock, linkId, self: nodeId, type };
    await dialLink(dialler, options, signal, (link, { mac }) =>
      this.#establish(link, new LinkFrames(mac)),
    );
  }

  #establish(link: Link, frames: LinkFrames): LinkEvents {
    this.#setEstablished({ link, frames, full: false });
    return {
      frame: (bytes) => this.#receive(bytes, frames),
      drained: () => this.#drained(link),
      closed: (reason) => this.#lost(link, reason),
    };
  }

  #setEstablished(established: Established): void {
    this.#established = established;
    this.#redial.established();
    this.#events.status('connected', undefined);
    this.#wakeWriters();
  }

  #receive(bytes: Uint8Array, frames: LinkFrames): void {
    try {
      this.#events.received(frames.decode(bytes));
    } catch (reason) {
      this.#events.dropped(SlimError.from(reason, 'malformed-frame'));
    }
  }

  #drained(link: Link): void {
    if (this.#established?.link !== link) return;
    this.#established.full = false;
    this.#wakeWriters();
  }

  #wakeWriters(): void {
    for (const writer of this.#writers) {
      if (!this.isWritable) return;
      writer.resolve();
    }
  }

  /** Events of a link that was replaced change nothing. */
  #lost(link: Link, reason: SlimError | undefined): void {
    if (this.#established?.link !== link) return;
    this.#established = undefined;
    this.#events.status('reconnecting', reason);
    this.#reconnecting = this.#redial.again();
  }
}

/** What is sent while there is no link is checked, and lost. */
const unlinked = new LinkFrames(undefined);

function closed(): SlimError {
  return new SlimError('link-closed', 'the application is closed');
}
