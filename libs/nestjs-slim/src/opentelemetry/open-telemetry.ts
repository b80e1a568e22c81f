import {
  ROOT_CONTEXT,
  context as contexts,
  defaultTextMapGetter,
  defaultTextMapSetter,
  metrics,
  propagation,
  trace,
  type Context,
  type MeterProvider,
  type TextMapPropagator,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { SlimError } from '@nestjs-slim/core';
import type { SlimContext } from '../slim-context.js';
import {
  noTelemetry,
  type ExchangeFailure,
  type ExchangeKind,
  type Handling,
  type OutgoingMessage,
  type Sending,
  type SlimTelemetry,
} from '../telemetry.js';
import { describeHandling, describeSending } from './exchange-description.js';
import { guarded } from './guarded.js';
import { makeInstruments, type Instruments } from './instruments.js';
import { WatchedExchange } from './watched-exchange.js';

/** Where spans and metrics go; to the providers registered with OpenTelemetry's API unless given. */
export interface OpenTelemetryOptions {
  readonly tracerProvider?: TracerProvider;
  readonly meterProvider?: MeterProvider;
  /** How a span's context becomes metadata of a message; the registered one unless given. */
  readonly propagator?: TextMapPropagator;
}

/**
 * For the `telemetry` option: a span and metrics for every request, event and channel message, the
 * receiver's span a child of the sender's. Without registered providers nothing is recorded.
 *
 * Requests too follow the messaging conventions: an operation is text that any caller chooses, where the
 * RPC ones want a method known to exist, and one set of names covers requests, events and channels alike.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): SlimTelemetry {
  return new OpenTelemetry(options);
}

class OpenTelemetry implements SlimTelemetry {
  private readonly options: OpenTelemetryOptions;
  private readonly tracer: Tracer;
  private made: Instruments | undefined;

  constructor(options: OpenTelemetryOptions) {
    this.options = options;
    this.tracer = (options.tracerProvider ?? trace).getTracer('nestjs-slim');
  }

  sending(message: OutgoingMessage): Sending {
    return guarded(
      () => this.send(message),
      () => noTelemetry.sending(message),
    );
  }

  handling(kind: ExchangeKind, context: SlimContext): Handling {
    return guarded(
      () => this.handle(kind, context),
      () => noTelemetry.handling(kind, context),
    );
  }

  private send(message: OutgoingMessage): Sending {
    const { tracer, instruments, propagator } = this;
    const duration = instruments.sendDuration;
    const parent = contexts.active();
    const exchange = new WatchedExchange(describeSending(message), { tracer, duration, parent });
    const metadata: Record<string, string> = {};
    guarded(() => propagator.inject(exchange.context, metadata, defaultTextMapSetter), nothing);
    const ended = (failure?: ExchangeFailure): void =>
      instruments.sent.add(1, exchange.ended(failure), exchange.context);
    return { metadata, ended: (failure) => guarded(() => ended(failure), nothing) };
  }

  private handle(kind: ExchangeKind, context: SlimContext): Handling {
    const { tracer, instruments } = this;
    const duration = instruments.processDuration;
    const description = describeHandling(kind, context);
    const parent = this.senderOf(context);
    const sender = kind === 'event' ? trace.getSpanContext(parent) : undefined;
    const links = sender ? [{ context: sender }] : [];
    const exchange = new WatchedExchange(description, { tracer, duration, parent, links });
    instruments.consumed.add(1, description.attributes, exchange.context);
    const ended = (failure?: ExchangeFailure): void =>
      void exchange.ended(isCancelled(failure, context) ? undefined : failure);
    return {
      run: (work) => contexts.with(exchange.context, work),
      ended: (failure) => guarded(() => ended(failure), nothing),
    };
  }

  /** Begins with no context rather than the active one, which is that of whoever opened the connection. */
  private senderOf(context: SlimContext): Context {
    const metadata = context.getMetadata();
    return guarded(
      () => this.propagator.extract(ROOT_CONTEXT, metadata, defaultTextMapGetter),
      () => ROOT_CONTEXT,
    );
  }

  private get propagator(): Pick<TextMapPropagator, 'inject' | 'extract'> {
    return this.options.propagator ?? propagation;
  }

  /** Made late: unlike a tracer, a meter from before a provider is registered never records. */
  private get instruments(): Instruments {
    this.made ??= makeInstruments(this.options.meterProvider ?? metrics);
    return this.made;
  }
}

const nothing = (): void => undefined;

/** A caller that does not want the answer any more is no failure of whoever was answering. */
function isCancelled(failure: ExchangeFailure | undefined, context: SlimContext): boolean {
  const { reason } = failure ?? {};
  const isOfCaller = reason instanceof SlimError && reason.code === 'aborted';
  return isOfCaller && reason === context.getSignal().reason;
}
