import { SpanKind, type Attributes } from '@opentelemetry/api';
import { formatId, type SlimName } from '@nestjs-slim/core';
import { patternKey } from '../patterns/pattern.js';
import type { SlimContext } from '../slim-context.js';
import type { ExchangeKind, OutgoingMessage } from '../telemetry.js';

/** One message in the words of the conventions. */
export interface ExchangeDescription {
  readonly spanName: string;
  readonly spanKind: SpanKind;
  /** Of span and metrics: each has few values. */
  readonly attributes: Attributes;
  /** Of the span alone. */
  readonly peer: Attributes;
}

interface Details {
  readonly does: 'send' | 'process';
  readonly kind: ExchangeKind;
  readonly service: string;
  readonly operation: string;
}

/**
 * A request is waited for, which is what the kinds `CLIENT` and `SERVER` mean to tools that draw service
 * maps; the conventions' table of kinds knows messages without an answer only.
 */
const spanKinds = {
  request: { send: SpanKind.CLIENT, process: SpanKind.SERVER },
  event: { send: SpanKind.PRODUCER, process: SpanKind.CONSUMER },
} as const;

export function describeSending({ kind, target, operation }: OutgoingMessage): ExchangeDescription {
  const described = describe({ does: 'send', kind, service: target.service, operation });
  return { ...described, peer: instanceOf(target) };
}

export function describeHandling(kind: ExchangeKind, context: SlimContext): ExchangeDescription {
  const source = context.getSource();
  const { service } = context.getDestination();
  const operation = isOfHandler(context) ? context.getOperation() : '';
  const described = describe({ does: 'process', kind, service, operation });
  return {
    ...described,
    peer: { 'messaging.slim.peer.name': source.service, ...instanceOf(source) },
  };
}

function describe({ does, kind, service, operation }: Details): Omit<ExchangeDescription, 'peer'> {
  return {
    spanName: `${does} ${patternKey(service, operation)}`,
    spanKind: spanKinds[kind][does],
    attributes: {
      'messaging.system': 'slim',
      'messaging.operation.name': does,
      'messaging.operation.type': does,
      'messaging.destination.name': service,
      'messaging.slim.message.kind': kind,
      ...(operation === '' ? {} : { 'messaging.slim.operation': operation }),
    },
  };
}

function instanceOf(name: SlimName): Attributes {
  return name.isInstance ? { 'messaging.slim.peer.instance_id': formatId(name.id) } : {};
}

/** False for an operation that is anything a sender wrote: what wildcards stand for, or for no handler at all. */
function isOfHandler(context: SlimContext): boolean {
  const isChannel = context.getSession().kind === 'channel';
  return !isChannel && Object.keys(context.getParams()).length === 0;
}
