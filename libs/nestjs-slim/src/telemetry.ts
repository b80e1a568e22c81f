import type { Metadata, SlimName } from '@nestjs-slim/core';
import type { SlimContext } from './slim-context.js';

/** Whether somebody waits for an answer. */
export type ExchangeKind = 'request' | 'event';

/** A request or an event before it is sent. */
export interface OutgoingMessage {
  readonly kind: ExchangeKind;
  readonly target: SlimName;
  readonly operation: string;
}

/** How an exchange failed; the reason may be any value. */
export interface ExchangeFailure {
  readonly reason: unknown;
}

/** A message that was sent, until it is answered or, for an event, delivered. */
export interface Sending {
  /** Goes along with the message, encrypted with it. */
  readonly metadata: Metadata;
  /** Called once. A request whose answer nobody waits for any more has not failed. */
  ended(failure?: ExchangeFailure): void;
}

/** A message that came, until its last answer is sent or its handlers are done. */
export interface Handling {
  /** Runs the handlers, so that what they do belongs to the message. */
  run<Result>(work: () => Result): Result;
  /** Called once. */
  ended(failure?: ExchangeFailure): void;
}

/** Watches the messages of an application, for traces and metrics. Called for every one; must not throw. */
export interface SlimTelemetry {
  sending(message: OutgoingMessage): Sending;
  handling(kind: ExchangeKind, context: SlimContext): Handling;
}

/** For applications that nobody watches. */
export const noTelemetry: SlimTelemetry = {
  sending: () => silent,
  handling: () => silent,
};

/** What goes along with most messages: nothing. */
export const noMetadata: Metadata = {};

const silent: Sending & Handling = {
  metadata: noMetadata,
  run: (work) => work(),
  ended: () => undefined,
};
