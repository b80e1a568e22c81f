import type { Counter, Histogram, MeterProvider } from '@opentelemetry/api';

/** The metrics of the conventions that this transport has. */
export interface Instruments {
  readonly sendDuration: Histogram;
  readonly processDuration: Histogram;
  readonly sent: Counter;
  readonly consumed: Counter;
}

/** Bounds that the conventions ask for, in seconds. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const duration = { unit: 's', advice: { explicitBucketBoundaries: boundaries } };

export function makeInstruments(provider: Pick<MeterProvider, 'getMeter'>): Instruments {
  const meter = provider.getMeter('nestjs-slim');
  return {
    sendDuration: meter.createHistogram('messaging.client.operation.duration', {
      ...duration,
      description: 'Duration of a request until its last answer, of an event until its delivery.',
    }),
    processDuration: meter.createHistogram('messaging.process.duration', {
      ...duration,
      description: 'Duration of processing operation.',
    }),
    sent: meter.createCounter('messaging.client.sent.messages', {
      unit: '{message}',
      description: 'Number of requests and events that were sent, or could not be.',
    }),
    consumed: meter.createCounter('messaging.client.consumed.messages', {
      unit: '{message}',
      description: 'Number of messages that were delivered to the application.',
    }),
  };
}
