import { constants, type Http2Stream, type IncomingHttpHeaders } from 'node:http2';
import {
  LinkDelivery,
  maxFrameBytes,
  SlimError,
  type Cancel,
  type Clock,
  type Link,
  type LinkEvents,
} from '@nestjs-slim/core';
import { FrameDeadline } from './frame-deadline.js';
import { checkFrameSize } from './frame-limit.js';
import { FrameWriter } from './frame-writer.js';
import { GrpcFrameDecoder } from './grpc-framing.js';
import { describeGrpcStatus, grpcStatus } from './grpc-status.js';
import { closeGraceMs, defaultFrameTimeoutMs } from './http2-settings.js';
import type { PromptAcknowledgement } from './prompt-acknowledgement.js';

/** What a link needs beside its stream. */
export interface Http2LinkOptions {
  readonly remote: string;
  readonly clock: Clock;
  /** Bytes that may wait before `send` says that the link is full. */
  readonly maxQueuedBytes?: number | undefined;
  /** How long the other end may take for a frame that it began. */
  readonly frameTimeoutMs?: number | undefined;
  /** Told what goes and comes, where the other end may hold back what is not acknowledged. */
  readonly acknowledgement?: PromptAcknowledgement | undefined;
  /** Called once the stream is gone; settles when what it stood on is gone too. */
  release(): Promise<void>;
}

/**
 * Our side of the stream. `closing`: the owner closed, what still comes is dropped. `ending`: the
 * other end closed first, its frames are still delivered.
 */
type Phase = 'open' | 'closing' | 'ending';

/** A link on one HTTP/2 stream, of either side. It owns the stream. */
export class Http2Link implements Link {
  readonly remote: string;
  readonly #stream: Http2Stream;
  readonly #clock: Clock;
  readonly #writer: FrameWriter;
  readonly #delivery = new LinkDelivery();
  readonly #decoder = new GrpcFrameDecoder(maxFrameBytes);
  readonly #deadline: FrameDeadline;
  readonly #gone: Promise<void>;
  readonly #acknowledgement: PromptAcknowledgement | undefined;
  #phase: Phase = 'open';
  /** Set once the other end finished its direction, by END_STREAM or by its status. */
  #peerEnd: { readonly reason: SlimError | undefined } | undefined;
  #failure: SlimError | undefined;
  #retiring = false;
  /** Why the other end is not wanted here. */
  #refusal: SlimError | undefined;
  #cancelGrace: Cancel = () => undefined;

  constructor(stream: Http2Stream, options: Http2LinkOptions) {
    this.remote = options.remote;
    this.#stream = stream;
    this.#clock = options.clock;
    this.#acknowledgement = options.acknowledgement;
    const drained = (): void => this.#delivery.drained();
    this.#writer = new FrameWriter(stream, drained, options.maxQueuedBytes);
    this.#deadline = this.#deadlineOf(options);
    this.#gone = new Promise((resolve) => {
      stream.once('close', () => {
        this.#finish();
        void options.release().then(resolve, resolve);
      });
    });
    this.#watch(stream);
    stream.pause();
  }

  /** True once a whole frame came. */
  get hasReceived(): boolean {
    return this.#decoder.completedFrames > 0;
  }

  open(events: LinkEvents): void {
    this.#delivery.open(events);
    this.#flow();
  }

  send(frame: Uint8Array): boolean {
    if (this.#phase !== 'open' || this.#delivery.ended) return true;
    checkFrameSize(frame);
    this.#acknowledgement?.sent();
    return this.#writer.send(frame);
  }

  pause(): void {
    this.#delivery.pause();
    this.#deadline.excuse();
    if (this.#phase !== 'closing') this.#stream.pause();
  }

  resume(): void {
    this.#delivery.resume();
    this.#flow();
  }

  close(reason?: SlimError): Promise<void> {
    this.#refusal ??= reason;
    this.#phase = 'closing';
    this.#delivery.discard();
    this.#endStream();
    // The end of the other side lies behind the frames it sent.
    this.#stream.resume();
    return this.#gone;
  }

  /**
   * Ends our direction in order. What the other end sends until it ended its own is still delivered, and
   * then an orderly end. Settles when the link is gone.
   */
  retire(): Promise<void> {
    this.#retiring = true;
    this.#peerEnd ??= { reason: undefined };
    if (this.#phase === 'open') this.#phase = 'ending';
    this.#endStream();
    return this.#gone;
  }

  destroy(reason: SlimError): void {
    this.#delivery.abandon(reason);
    this.#reset();
  }

  #watch(stream: Http2Stream): void {
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    stream.once('trailers', (headers) => this.#receiveTrailers(headers));
    stream.once('wantTrailers', () => this.#sendTrailers());
    stream.on('error', (reason) => {
      this.#failure ??= SlimError.from(reason, 'link-closed', this.remote);
    });
    stream.once('end', () => {
      // A reset and a lost connection end the readable side, too.
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      this.#peerEnd ??= { reason: undefined };
      if (this.#phase === 'open') this.#phase = 'ending';
      this.#endStream();
    });
  }

  #flow(): void {
    if (this.#delivery.flowing) this.#stream.resume();
  }

  #receive(chunk: Uint8Array): void {
    this.#acknowledgement?.received(this.#writer);
    let malformed: unknown;
    try {
      this.#decoder.push(chunk, this.#delivery.keep);
    } catch (reason) {
      malformed = reason;
    }
    this.#delivery.deliver();
    this.#deadline.check();
    if (malformed) this.destroy(SlimError.from(malformed, 'malformed-frame'));
  }

  #receiveTrailers(headers: IncomingHttpHeaders): void {
    const status = describeGrpcStatus(headers);
    if (!status) return;
    const what = `${this.remote} ended the link with ${status.text}`;
    // A peer that is not wanted is told so, and never asks again (reference: data plane 3.6, 3.7).
    const code = status.code === grpcStatus.permissionDenied ? 'refused' : 'link-closed';
    this.#peerEnd = { reason: status.ok ? undefined : new SlimError(code, what) };
  }

  /** Only the accepting side has trailers: its status, behind the last frame. */
  #sendTrailers(): void {
    this.#stream.sendTrailers(this.#status);
    if (this.#retiring) return;
    // Ends the direction of the peer as well, as a native node does (data plane 3.8). node:http2 sends
    // trailers in an immediate of its own and refuses to on a stream that is closed before.
    setImmediate(() => this.#stream.close(constants.NGHTTP2_NO_ERROR));
  }

  get #status(): Record<string, string | number> {
    if (!this.#refusal) return { 'grpc-status': grpcStatus.ok };
    const message = encodeURIComponent(this.#refusal.message);
    return { 'grpc-status': grpcStatus.permissionDenied, 'grpc-message': message };
  }

  /** Writes what is queued, ends our direction, and gives the other end time to end its own. */
  #endStream(): void {
    this.#writer.end();
    this.#cancelGrace();
    if (this.#stream.destroyed) return;
    this.#cancelGrace = this.#clock.schedule(closeGraceMs, () => {
      const what = `${this.remote} did not end the link within ${closeGraceMs} ms`;
      this.#failure ??= new SlimError('link-closed', what);
      this.#reset();
    });
  }

  #deadlineOf({ clock, frameTimeoutMs: timeoutMs }: Http2LinkOptions): FrameDeadline {
    const late = (): void => {
      const what = `${this.remote} did not finish a frame`;
      this.destroy(new SlimError('link-closed', what));
    };
    const isReading = (): boolean => this.#delivery.flowing;
    const watched = { clock, timeoutMs: timeoutMs ?? defaultFrameTimeoutMs };
    return new FrameDeadline({ ...watched, progress: this.#decoder, isReading, late });
  }

  #reset(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // A peer that reads nothing keeps the stream from being closed on the wire; this end is done.
    this.#stream.destroy();
  }

  #finish(): void {
    this.#cancelGrace();
    this.#deadline.stop();
    this.#acknowledgement?.stop();
    if (!this.#peerEnd) return this.#delivery.abandon(this.#failure ?? this.#lost());
    this.#readRest();
    this.#delivery.end(this.#peerEnd.reason);
  }

  /**
   * What came while the owner paused is still in the stream when the connection goes: node:http2
   * destroys the stream with it, but lets it be read.
   */
  #readRest(): void {
    const next = (): unknown => this.#stream.read();
    for (let chunk = next(); chunk instanceof Uint8Array; chunk = next()) this.#receive(chunk);
  }

  #lost(): SlimError {
    const code = this.#stream.rstCode;
    return new SlimError('link-closed', `${this.remote} is gone, HTTP/2 code ${code}`);
  }
}
