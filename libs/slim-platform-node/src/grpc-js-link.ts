import type { ClientDuplexStream, MethodDefinition, ServerDuplexStream } from '@grpc/grpc-js';
import {
  LinkDelivery,
  SlimError,
  type Cancel,
  type Clock,
  type Link,
  type LinkEvents,
} from '@nestjs-slim/core';
import { checkFrameSize } from './frame-limit.js';
import { closeGraceMs, openChannelPath } from './http2-settings.js';
import { plainBytes } from './plain-bytes.js';

const serialize = (frame: Uint8Array): Buffer =>
  Buffer.from(frame.buffer, frame.byteOffset, frame.length);

/** OpenChannel with frames as they are, encoded and decoded elsewhere. */
export const openChannel: MethodDefinition<Uint8Array, Uint8Array> = {
  path: openChannelPath,
  requestStream: true,
  responseStream: true,
  requestSerialize: serialize,
  requestDeserialize: plainBytes,
  responseSerialize: serialize,
  responseDeserialize: plainBytes,
};

/** What a link needs beside its call. */
export interface GrpcJsLinkOptions {
  readonly remote: string;
  readonly clock: Clock;
  /** Ends the call at once. */
  cancel(): void;
  /** Called once, when the call is over. */
  release(): void;
}

/** As in `Http2Link`: `closing` is our end, `ending` that of the peer, `over` the end of the call. */
type Phase = 'open' | 'closing' | 'ending' | 'over';

type Call = ClientDuplexStream<Uint8Array, Uint8Array> | ServerDuplexStream<Uint8Array, Uint8Array>;

/** A link on one call of `@grpc/grpc-js`, of either side. Whoever made the call says when it is over. */
export class GrpcJsLink implements Link {
  readonly remote: string;
  readonly #call: Call;
  readonly #options: GrpcJsLinkOptions;
  readonly #delivery = new LinkDelivery();
  readonly #gone: Promise<void>;
  #settle: () => void = () => undefined;
  #phase: Phase = 'open';
  #cancelGrace: Cancel = () => undefined;

  constructor(call: Call, options: GrpcJsLinkOptions) {
    this.remote = options.remote;
    this.#call = call;
    this.#options = options;
    this.#gone = new Promise((resolve) => {
      this.#settle = resolve;
    });
    call.on('data', (frame: Uint8Array) => {
      this.#delivery.keep(frame);
      this.#delivery.deliver();
    });
    call.on('drain', () => this.#delivery.drained());
    call.once('end', () => {
      if (this.#phase === 'open') this.#phase = 'ending';
      this.#endCall();
    });
    call.pause();
  }

  /** True when either side ended the link in order, so that an end of the call is no surprise. */
  get endedInOrder(): boolean {
    return this.#phase === 'ending' || (this.#phase === 'closing' && this.#call.writableFinished);
  }

  open(events: LinkEvents): void {
    this.#delivery.open(events);
    this.#flow();
  }

  send(frame: Uint8Array): boolean {
    if (this.#phase !== 'open' || this.#delivery.ended) return true;
    checkFrameSize(frame);
    return this.#call.write(frame);
  }

  pause(): void {
    this.#delivery.pause();
    if (this.#phase !== 'closing') this.#call.pause();
  }

  resume(): void {
    this.#delivery.resume();
    this.#flow();
  }

  close(): Promise<void> {
    if (this.#phase !== 'over') this.#phase = 'closing';
    this.#delivery.discard();
    this.#endCall();
    // The end of the other side lies behind the frames it sent.
    this.#call.resume();
    return this.#gone;
  }

  destroy(reason: SlimError): void {
    this.#delivery.abandon(reason);
    if (this.#phase === 'over') return;
    this.#options.cancel();
    void this.close();
  }

  /** The call is over. Frames that came before an orderly end are still delivered. */
  callIsOver(reason: SlimError | undefined): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#cancelGrace();
    const call = this.#call;
    if (reason) this.#delivery.abandon(reason);
    else if (call.readableEnded || call.destroyed) this.#delivery.end(undefined);
    else call.once('end', () => this.#delivery.end(undefined));
    this.#options.release();
    this.#settle();
  }

  #flow(): void {
    if (this.#delivery.flowing) this.#call.resume();
  }

  /** Ends our direction behind the frames that are queued, and gives the other end time for its own. */
  #endCall(): void {
    if (this.#phase === 'over') return;
    if (!this.#call.writableEnded) this.#call.end();
    this.#cancelGrace();
    this.#cancelGrace = this.#options.clock.schedule(closeGraceMs, () => {
      const what = `${this.remote} did not end the link within ${closeGraceMs} ms`;
      this.#options.cancel();
      this.callIsOver(new SlimError('link-closed', what));
    });
  }
}
