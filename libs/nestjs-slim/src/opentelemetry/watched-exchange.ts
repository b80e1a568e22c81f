import {
  SpanStatusCode,
  trace,
  type Context,
  type Histogram,
  type Link,
  type Tracer,
} from '@opentelemetry/api';
import type { ExchangeFailure } from '../telemetry.js';
import { errorType } from './error-type.js';
import type { ExchangeDescription } from './exchange-description.js';

/** What an exchange is watched with. */
export interface WatchOptions {
  readonly tracer: Tracer;
  readonly duration: Histogram;
  /** Of the span that caused it, if there is one. */
  readonly parent: Context;
  readonly links?: readonly Link[];
}

/** One message, from the start of its span to its end. */
export class WatchedExchange {
  /** That of its span. */
  readonly context: Context;
  private readonly description: ExchangeDescription;
  private readonly options: WatchOptions;
  // Not the wall clock, which may be set back.
  private readonly startedMs = performance.now();

  constructor(description: ExchangeDescription, options: WatchOptions) {
    const { spanName, spanKind, attributes, peer } = description;
    const { tracer, parent, links = [] } = options;
    const span = tracer.startSpan(
      spanName,
      { kind: spanKind, attributes: { ...attributes, ...peer }, links: [...links] },
      parent,
    );
    this.description = description;
    this.options = options;
    this.context = trace.setSpan(parent, span);
  }

  /** Gives the attributes for metrics. The status has no text: messages of errors may quote users. */
  ended(failure: ExchangeFailure | undefined): ExchangeDescription['attributes'] {
    const failed = failure && { 'error.type': errorType(failure.reason) };
    const attributes = { ...this.description.attributes, ...failed };
    const seconds = (performance.now() - this.startedMs) / 1_000;
    this.options.duration.record(seconds, attributes, this.context);
    const span = trace.getSpan(this.context);
    if (failed) span?.setAttributes(failed).setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    return attributes;
  }
}
