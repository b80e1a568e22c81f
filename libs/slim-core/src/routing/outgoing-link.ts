import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { BackoffPolicy } from '../link/backoff.js';
import { dialLink } from '../link/dial-link.js';
import type { Link, LinkDialler, LinkEvents } from '../link/link.js';
import type { LinkEnd, Negotiated } from '../link/negotiation.js';
import { Redial } from '../link/redial.js';
import { connectionType } from '../wire/link-message.js';
import type { OutgoingKind } from './categories.js';

/** `refused`: the other end said that we do not belong there, and we do not ask again. */
export type OutgoingStatus =
  | { readonly kind: 'dialling'; readonly reason: SlimError | undefined }
  | { readonly kind: 'established' }
  | { readonly kind: 'refused'; readonly reason: SlimError }
  | { readonly kind: 'closed' };

/** What an outgoing link is made with. */
export interface OutgoingLinkOptions {
  readonly dialler: LinkDialler;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly kind: OutgoingKind;
  readonly linkId: string;
  readonly self: LinkEnd;
  readonly backoff: BackoffPolicy;
  readonly negotiationTimeoutMs: number;
}

/** What it needs of its node. */
export interface OutgoingLinkOwner {
  /** Takes over a link that was negotiated. @throws SlimError `refused` when it does not belong here */
  established(link: Link, negotiated: Negotiated): LinkEvents;
  /** An attempt failed, or the other end refused; other attempts follow unless it refused. */
  failed(reason: SlimError): void;
  /** It will not be dialled again. */
  ended(): void;
}

/**
 * A link that a node keeps up: it is dialled again, with growing pauses and always under the same id,
 * until it is closed or the other end refuses it (reference: data plane 3.7). Unlike an official node it
 * does not give up because one negotiation failed.
 */
export class OutgoingLink {
  readonly #options: OutgoingLinkOptions;
  readonly #owner: OutgoingLinkOwner;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #status: OutgoingStatus = { kind: 'dialling', reason: undefined };
  #link: Link | undefined;
  readonly #redial: Redial;
  #dialling: Promise<void>;

  constructor(options: OutgoingLinkOptions, owner: OutgoingLinkOwner) {
    this.#options = options;
    this.#owner = owner;
    const { clock, crypto, backoff } = options;
    const failed = (reason: SlimError): boolean => this.#failed(reason);
    const attempt = (): Promise<void> => this.#dial();
    const { signal } = this.#stop;
    this.#redial = new Redial({ clock, crypto, backoff, signal, attempt, failed });
    this.#dialling = this.#dialFirst();
  }

  get target(): string {
    return this.#options.dialler.target;
  }

  get kind(): OutgoingKind {
    return this.#options.kind;
  }

  /** What both ends call it, on every connection that it has. */
  get linkId(): string {
    return this.#options.linkId;
  }

  get status(): OutgoingStatus {
    return this.#status;
  }

  /**
   * Settles when the link is there.
   * @throws SlimError `refused` when the other end wants no such link, `link-closed`, `aborted`
   */
  async whenEstablished(signal?: AbortSignal): Promise<void> {
    while (this.#status.kind === 'dialling') await this.#change(signal);
    if (this.#status.kind === 'refused') throw this.#status.reason;
    if (this.#status.kind === 'closed') throw closed(this.target);
  }

  /** Ends the link and dials no more. May be called twice. */
  async close(): Promise<void> {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort(closed(this.target));
      this.#become({ kind: 'closed' });
      this.#owner.ended();
    }
    await this.#link?.close();
    await this.#dialling;
  }

  async #dialFirst(): Promise<void> {
    try {
      await this.#dial();
    } catch (reason) {
      const again = this.#failed(SlimError.from(reason, 'link-failed'));
      if (again && !this.#stop.signal.aborted) await this.#redial.again();
    }
  }

  async #dial(): Promise<void> {
    const { dialler, crypto, clock, linkId, self, kind, negotiationTimeoutMs } = this.#options;
    const type = connectionType[kind];
    const options = { crypto, clock, linkId, self, type, timeoutMs: negotiationTimeoutMs };
    await dialLink(dialler, options, this.#stop.signal, (link, negotiated) => {
      const events = this.#owner.established(link, negotiated);
      this.#link = link;
      this.#redial.established();
      this.#become({ kind: 'established' });
      return { ...events, closed: (reason) => this.#lost(events, reason) };
    });
  }

  #lost(events: LinkEvents, reason: SlimError | undefined): void {
    this.#link = undefined;
    events.closed(reason);
    if (this.#stop.signal.aborted) return;
    if (reason?.code === 'refused') return void this.#failed(reason);
    this.#become({ kind: 'dialling', reason });
    this.#dialling = this.#redial.again();
  }

  /** False when it is to be dialled no more. */
  #failed(reason: SlimError): boolean {
    if (this.#stop.signal.aborted) return false;
    const isFinal = reason.code === 'refused';
    this.#become(isFinal ? { kind: 'refused', reason } : { kind: 'dialling', reason });
    this.#owner.failed(reason);
    if (isFinal) this.#owner.ended();
    return !isFinal;
  }

  #become(status: OutgoingStatus): void {
    this.#status = status;
    for (const wake of this.#waiting) wake();
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', onAbort);
        action();
      };
      const wake = (): void => settle(resolve);
      const onAbort = (): void =>
        settle(() =>
          reject(SlimError.from(signal?.reason, 'aborted', `waiting for ${this.target}`)),
        );
      if (signal?.aborted) return onAbort();
      this.#waiting.add(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function closed(target: string): SlimError {
  return new SlimError('link-closed', `the link to ${target} is closed`);
}
