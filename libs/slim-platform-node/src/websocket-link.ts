import type { Socket } from 'node:net';
import {
  LinkDelivery,
  maxFrameBytes,
  SlimError,
  type Cancel,
  type Clock,
  type Link,
  type LinkEvents,
} from '@nestjs-slim/core';
import type { RawData, WebSocket } from 'ws';
import { checkFrameSize } from './frame-limit.js';
import { closeGraceMs, defaultKeepaliveMs } from './http2-settings.js';
import { Keepalive } from './keepalive.js';
import type { PromptAcknowledgement } from './prompt-acknowledgement.js';
import { closeCode, closeText, endOf, failureOf } from './websocket-close.js';
import { WebSocketWriter } from './websocket-writer.js';

/** Bytes a peer may send to an owner that paused before it has to wait. */
const windowBytes = 4 * 1024 * 1024;

/** What a link needs beside its socket. */
export interface WebSocketLinkOptions {
  readonly remote: string;
  readonly clock: Clock;
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. 60,000 by default. */
  readonly keepaliveMs?: number;
  /** How long the other end may take for the sign of life. 20,000 by default. */
  readonly keepaliveTimeoutMs?: number;
  /** Bytes that may wait for a peer that does not read before the link says it is full. 1 MiB by default. */
  readonly maxQueuedBytes?: number;
  /** Told what goes and comes, where the other end may hold back what is not acknowledged. */
  readonly acknowledgement?: PromptAcknowledgement;
}

/** How both sides treat WebSocket messages: one message is one frame, as it is. */
export const messageOptions = {
  // The limit of gRPC, although the official node takes 64 MiB here: what goes on from here to a gRPC link
  // would end that one (reference: data plane 6.9). A larger message is answered with code 1009.
  maxPayload: maxFrameBytes,
  // Ciphertext does not compress, and the official node offers no extension (reference: data plane 6.9).
  perMessageDeflate: false,
} as const;

/**
 * Our direction. `retiring`: it ended in order, and what the other end had sent is still delivered.
 * `closing`: it ended, and what still comes is dropped.
 */
type Phase = 'open' | 'retiring' | 'closing';

/** A link on one WebSocket, of either side. It owns the socket. */
export class WebSocketLink implements Link {
  readonly remote: string;
  readonly #socket: WebSocket;
  readonly #transport: Socket;
  readonly #options: WebSocketLinkOptions;
  readonly #writer: WebSocketWriter;
  readonly #delivery = new LinkDelivery();
  readonly #gone: Promise<void>;
  #keepalive: Keepalive;
  /** Received, and not yet taken by the owner. */
  #unreadBytes = 0;
  /** We do not read, because too much is unread. */
  #holding = false;
  #phase: Phase = 'open';
  /** What we ended our direction with; the other end answers with the same. */
  #saidCode: number | undefined;
  #failure: SlimError | undefined;
  #cancelGrace: Cancel = () => undefined;

  /** `socket` is open, and `transport` is what it stands on. */
  constructor(socket: WebSocket, transport: Socket, options: WebSocketLinkOptions) {
    this.remote = options.remote;
    this.#socket = socket;
    this.#transport = transport;
    this.#options = options;
    this.#writer = new WebSocketWriter(socket, transport, {
      ...options,
      drained: () => this.#delivery.drained(),
    });
    this.#keepalive = this.#watchSilence();
    this.#gone = new Promise((resolve) => {
      socket.once('close', (code, text) => {
        this.#finish(code, String(text));
        resolve();
      });
    });
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', (reason) => this.#fail(failureOf(reason, this.remote)));
    // The socket above reports no error of the connection, only its end.
    transport.once('error', (reason) => {
      this.#failure ??= SlimError.from(reason, 'link-closed', this.remote);
    });
  }

  open(events: LinkEvents): void {
    this.#delivery.open({
      frame: (bytes) => {
        this.#unreadBytes -= bytes.length;
        events.frame(bytes);
        this.#release();
      },
      drained: () => events.drained(),
      closed: (reason) => events.closed(reason),
    });
  }

  send(frame: Uint8Array): boolean {
    if (this.#phase !== 'open' || this.#socket.readyState !== this.#socket.OPEN) return true;
    checkFrameSize(frame);
    this.#options.acknowledgement?.sent();
    return this.#writer.send(frame);
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(reason?: SlimError): Promise<void> {
    this.#delivery.discard();
    if (reason) this.#hangUp(closeCode.refused, closeText(reason.message));
    else this.#hangUp(closeCode.normal);
    return this.#gone;
  }

  /**
   * Ends our direction in order. What the other end sends until it ended its own is still delivered, and
   * then the end. Settles when the link is gone.
   */
  retire(): Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'retiring';
      this.#sayClose(closeCode.normal);
      this.#waitForEnd();
    }
    return this.#gone;
  }

  destroy(reason: SlimError): void {
    this.#delivery.abandon(reason);
    this.#phase = 'closing';
    this.#socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!isBinary) return this.#refuseText();
    // As `ws` hands it over unless told otherwise: one Buffer, of which `slice` would be a view.
    if (!Buffer.isBuffer(data) || this.#phase === 'closing') return;
    this.#options.acknowledgement?.received(this.#writer);
    this.#unreadBytes += data.length;
    this.#delivery.keep(new Uint8Array(data.buffer, data.byteOffset, data.length));
    this.#delivery.deliver();
    if (this.#unreadBytes > windowBytes) this.#hold();
  }

  /** Nobody on this protocol sends text, so whoever does is told (reference: data plane 6.9). */
  #refuseText(): void {
    const what = `${this.remote} sent a text message, expected binary ones`;
    this.#delivery.abandon(new SlimError('malformed-frame', what));
    this.#hangUp(closeCode.unsupportedData);
  }

  /** Stops reading: the peer then waits, and is not asked for signs of life that we would not see. */
  #hold(): void {
    if (this.#holding || this.#phase === 'closing') return;
    this.#holding = true;
    this.#keepalive.stop();
    this.#socket.pause();
  }

  #release(): void {
    if (!this.#holding || this.#phase === 'closing' || this.#unreadBytes > windowBytes) return;
    this.#holding = false;
    this.#keepalive = this.#watchSilence();
    this.#socket.resume();
  }

  /** Ends our direction behind what is queued, and gives the other end time to end its own. */
  #hangUp(code: number, text?: string): void {
    if (this.#phase === 'closing') return;
    this.#phase = 'closing';
    // The answer of the other end lies behind the frames it sent.
    this.#socket.resume();
    this.#sayClose(code, text);
    this.#waitForEnd();
  }

  #sayClose(code: number, text?: string): void {
    this.#saidCode ??= code;
    this.#writer.flush();
    this.#socket.close(code, text);
  }

  /** What is wrong with the connection. `ws` has told the other end already, where that is possible. */
  #fail(reason: SlimError): void {
    this.#failure ??= reason;
    this.#delivery.abandon(reason);
    this.#phase = 'closing';
    // `ws` reads nothing more, so it would not see the other end answer.
    this.#transport.end();
    this.#waitForEnd();
  }

  #waitForEnd(): void {
    this.#cancelGrace();
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    this.#cancelGrace = this.#options.clock.schedule(closeGraceMs, () => {
      const what = `${this.remote} did not end the link within ${closeGraceMs} ms`;
      this.#failure ??= new SlimError('link-closed', what);
      this.#socket.terminate();
    });
  }

  #finish(code: number, text: string): void {
    this.#cancelGrace();
    this.#keepalive.stop();
    this.#options.acknowledgement?.stop();
    const isAnswer = code === this.#saidCode;
    const reason = this.#failure ?? (isAnswer ? undefined : endOf(code, text, this.remote));
    const isLost = code === closeCode.missing || this.#failure !== undefined;
    if (isLost && this.#phase !== 'retiring') this.#delivery.abandon(reason);
    else this.#delivery.end(reason);
    this.#phase = 'closing';
  }

  #watchSilence(): Keepalive {
    const socket = this.#socket;
    const {
      clock,
      keepaliveMs = defaultKeepaliveMs,
      keepaliveTimeoutMs: timeoutMs,
    } = this.#options;
    const session = {
      get destroyed() {
        return socket.readyState !== socket.OPEN;
      },
      ping: () => socket.ping(),
    };
    const dead = (quietMs: number): void => {
      this.destroy(new SlimError('link-closed', `${this.remote} was silent for ${quietMs} ms`));
    };
    return new Keepalive({ session, socket: this.#transport, clock, keepaliveMs, timeoutMs, dead });
  }
}
