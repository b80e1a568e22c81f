import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, type Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { SpanKind, SpanStatusCode, context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  DataPointType,
  MeterProvider,
  MetricReader,
  type DataPoint,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { NEVER, firstValueFrom, from, lastValueFrom, mergeMap, tap, type Observable } from 'rxjs';
import {
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  SlimChannel,
} from '../channels/channel-decorators.js';
import type { SlimChannelRef } from '../channels/slim-channel-ref.js';
import { SlimClient } from '../slim-client.js';
import type { SlimContext } from '../slim-context.js';
import { SlimException } from '../slim-exception.js';
import { SlimRecordBuilder } from '../slim-record.js';
import { Fabric, billing } from '../testing/spec-fabric.js';
import { Log } from '../testing/spec-log.js';
import { outcome } from '../testing/spec-outcome.js';
import { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.js';

const ledger = 'acme/billing/ledger';
const roomName = 'acme/ops/room';
const log = new Log();

/** A span that an application makes itself. */
function span<Result>(name: string, work: () => Result): Result {
  return trace.getTracer('application').startActiveSpan(name, (made) => {
    const result = work();
    made.end();
    return result;
  });
}

@Controller()
class InvoicesController {
  constructor(private readonly client: SlimClient) {}

  @MessagePattern('create')
  create(): string {
    return span('inserting', () => 'created');
  }

  @MessagePattern('buy')
  buy(): never {
    throw new SlimException({ code: 'out-of-stock', message: 'no more of what jane@acme bought' });
  }

  @MessagePattern('stumble')
  stumble(): never {
    throw new TypeError('jane@acme');
  }

  @MessagePattern('count')
  async *count(): AsyncGenerator<number> {
    yield span('one', () => 1);
    await Promise.resolve();
    yield span('two', () => 2);
  }

  @MessagePattern('observe')
  observe(): Observable<number> {
    return from([1, 2]).pipe(
      mergeMap(async (item) => item),
      tap((item) => span(`item ${item}`, () => item)),
    );
  }

  @MessagePattern('wait')
  wait(): Observable<never> {
    log.add('waiting');
    return NEVER;
  }

  @MessagePattern('of.:customer')
  of(): string {
    return 'theirs';
  }

  @MessagePattern('post')
  post(): Observable<string> {
    const ask = (operation: string) => this.client.send<string>(`${ledger}#${operation}`, {});
    return ask('debit').pipe(mergeMap(() => ask('credit')));
  }

  @MessagePattern('metadata')
  metadata(@Ctx() ctx: SlimContext): object {
    return ctx.getMetadata();
  }

  @MessagePattern(billing)
  plain(@Ctx() ctx: SlimContext): object {
    return ctx.getMetadata();
  }

  @MessagePattern('whoami')
  whoami(@Ctx() ctx: SlimContext): string {
    return String(ctx.getName());
  }

  @EventPattern<string>('paid')
  paid(): void {
    span('noting', () => undefined);
  }

  @EventPattern<string>('paid.:customer')
  paidBy(): never {
    throw new RangeError('jane@acme');
  }
}

@Controller()
class LedgerController {
  @MessagePattern('debit')
  debit(): string {
    return 'debited';
  }

  @MessagePattern('credit')
  credit(): string {
    return 'credited';
  }
}

@SlimChannel({ name: roomName, moderator: true, invite: ['acme/ops/agent'], inviteRetryMs: 50 })
class Desk {
  constructor(
    @InjectChannel(roomName) readonly room: SlimChannelRef,
    readonly client: SlimClient,
  ) {}

  @ParticipantJoined()
  joined(): void {
    log.add('joined');
  }
}

@SlimChannel({ name: roomName })
class Agent {
  constructor(@InjectChannel(roomName) readonly room: SlimChannelRef) {}

  @ChannelMessage()
  heard(@Payload() text: unknown, @Ctx() ctx: SlimContext): void {
    span('hearing', () => undefined);
    log.add(`heard ${Object.keys(ctx.getMetadata()).join()}`);
    if (text === 'bad news') throw new RangeError('jane@acme');
  }
}

/** Says in the log which spans have ended. */
class LoggingExporter extends InMemorySpanExporter {
  override export(...args: Parameters<InMemorySpanExporter['export']>): void {
    super.export(...args);
    for (const ended of args[0]) log.add(textOf(ended));
  }
}

class PulledReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

const textOf = ({ kind, name }: ReadableSpan): string => `${SpanKind[kind]} ${name}`;

let fabric: Fabric;
let exporter: LoggingExporter;
let reader: PulledReader;

beforeEach(async () => {
  log.clear();
  exporter = new LoggingExporter();
  reader = new PulledReader();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  fabric = await Fabric.start();
});
afterEach(async () => {
  await fabric.end();
  for (const api of [context, trace, metrics, propagation]) api.disable();
});

function register(): void {
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

const watched = (options?: OpenTelemetryOptions) => ({ telemetry: openTelemetry(options) });

async function setup(options?: OpenTelemetryOptions): Promise<SlimClient> {
  await fabric.serve({ controllers: [InvoicesController] }, watched(options));
  return fabric.client(watched(options));
}

/** The spans that have ended, each below its parent; siblings by name. */
function traces(parent?: ReadableSpan, indent = ''): string[] {
  const parentId = parent?.spanContext().spanId;
  const children = exporter
    .getFinishedSpans()
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parentId)
    .filter((each) => !parent || each.spanContext().traceId === parent.spanContext().traceId);
  return children
    .toSorted((one, other) => one.name.localeCompare(other.name))
    .flatMap((child) => [`${indent}${textOf(child)}`, ...traces(child, `${indent}  `)]);
}

function ended(text: string): ReadableSpan {
  const found = exporter.getFinishedSpans().filter((each) => textOf(each) === text);
  expect(found).toHaveLength(1);
  const [only] = found;
  if (!only) throw new Error(`no span "${text}"`);
  return only;
}

const failures = (...texts: readonly string[]): unknown[] =>
  texts.map((text) => {
    const { status, attributes } = ended(text);
    return [SpanStatusCode[status.code], status.message, attributes['error.type']];
  });

/** How often each metric was recorded, by its attributes; sums of histograms differ with the machine. */
async function recorded(name: string): Promise<readonly unknown[]> {
  const points: readonly DataPoint<number | { readonly count: number }>[] = (await collected())
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(
      ({ dataPoints }): readonly DataPoint<number | { readonly count: number }>[] => dataPoints,
    );
  return points.map(({ attributes, value }) => [
    attributes,
    typeof value === 'number' ? value : value.count,
  ]);
}

async function collected(): Promise<readonly MetricData[]> {
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
}

const sent = (operation: string) => `${billing}#${operation}`;
const bySender = { 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' };
const byReceiver = { 'messaging.operation.name': 'process', 'messaging.operation.type': 'process' };
const slim = { 'messaging.system': 'slim', 'messaging.destination.name': billing };

describe('the spans of a request', () => {
  it('are one below the other, with those of the handler below both', async () => {
    register();
    const client = await setup();
    await firstValueFrom(client.send('create', { customer: 'jane@acme' }));
    await log.has(`SERVER process ${sent('create')}`);
    expect(traces()).toStrictEqual([
      `CLIENT send ${sent('create')}`,
      `  SERVER process ${sent('create')}`,
      '    INTERNAL inserting',
    ]);
    const request = {
      ...slim,
      'messaging.slim.message.kind': 'request',
      'messaging.slim.operation': 'create',
    };
    const asking = ended(`CLIENT send ${sent('create')}`);
    expect(asking.attributes).toStrictEqual({ ...request, ...bySender });
    expect(asking.status).toStrictEqual({ code: SpanStatusCode.UNSET });
    const answering = ended(`SERVER process ${sent('create')}`);
    const { name } = client.unwrap<SlimApp>();
    expect(answering.attributes).toStrictEqual({
      ...request,
      ...byReceiver,
      'messaging.slim.peer.name': 'acme/tests/client',
      'messaging.slim.peer.instance_id': String(name).split('/').at(-1),
    });
    expect(answering.links).toStrictEqual([]);
  });

  it('name the instance that is asked, where that is known', async () => {
    register();
    const client = await setup();
    const instance = await client.request<string>('whoami', {});
    const record = new SlimRecordBuilder({}).setInstance(String(instance)).build();
    await client.request('create', record);
    const { attributes, name } = ended(`CLIENT send ${sent('create')}`);
    expect(attributes).toMatchObject({
      'messaging.destination.name': billing,
      'messaging.slim.peer.instance_id': instance?.split('/').at(-1),
    });
    expect(name).toBe(`send ${sent('create')}`);
  });

  it('hold the code of a failure, and nothing of its message', async () => {
    register();
    const client = await setup();
    for (const operation of ['buy', 'stumble', 'nobody']) {
      await outcome(client.send(operation, {}));
    }
    await log.has(`SERVER process ${sent('buy')}`, `SERVER process ${sent('stumble')}`);
    const spans = ['buy', 'stumble'].flatMap((operation) => [
      `CLIENT send ${sent(operation)}`,
      `SERVER process ${sent(operation)}`,
    ]);
    expect(failures(...spans, `CLIENT send ${sent('nobody')}`)).toStrictEqual([
      ['ERROR', undefined, 'out-of-stock'],
      ['ERROR', undefined, 'out-of-stock'],
      ['ERROR', undefined, '_OTHER'],
      ['ERROR', undefined, '_OTHER'],
      ['ERROR', undefined, 'no-handler'],
    ]);
  });

  it('last as long as its stream, with what a generator or an observable does below them', async () => {
    register();
    const client = await setup();
    const items: unknown[] = [];
    for await (const item of client.stream('count', {})) items.push(item);
    await lastValueFrom(client.send('observe', {}));
    await log.has(`SERVER process ${sent('count')}`, `SERVER process ${sent('observe')}`);
    expect(items).toStrictEqual([1, 2]);
    expect(traces()).toStrictEqual([
      `CLIENT send ${sent('count')}`,
      `  SERVER process ${sent('count')}`,
      '    INTERNAL one',
      '    INTERNAL two',
      `CLIENT send ${sent('observe')}`,
      `  SERVER process ${sent('observe')}`,
      '    INTERNAL item 1',
      '    INTERNAL item 2',
    ]);
  });

  it('end without an error when the caller unsubscribes', async () => {
    register();
    const client = await setup();
    const subscription = client.send('wait', {}).subscribe();
    await log.has('waiting');
    subscription.unsubscribe();
    const spans = [`CLIENT send ${sent('wait')}`, `SERVER process ${sent('wait')}`];
    await log.has(...spans);
    expect(failures(...spans)).toStrictEqual([
      ['UNSET', undefined, undefined],
      ['UNSET', undefined, undefined],
    ]);
  });

  it('go on through a handler that asks others, one answer after the other', async () => {
    register();
    await fabric.serve({ controllers: [LedgerController] }, { name: ledger, ...watched() });
    const client = await setup();
    // From here on there are sessions, which were opened for another request.
    await firstValueFrom(client.send('post', {}));
    await log.has(`SERVER process ${sent('post')}`, `SERVER process ${ledger}#credit`);
    log.clear();
    exporter.reset();
    await span('checkout', () => firstValueFrom(client.send('post', {})));
    await log.has(`SERVER process ${ledger}#credit`, `SERVER process ${sent('post')}`);
    expect(traces()).toStrictEqual([
      'INTERNAL checkout',
      `  CLIENT send ${sent('post')}`,
      `    SERVER process ${sent('post')}`,
      `      CLIENT send ${ledger}#credit`,
      `        SERVER process ${ledger}#credit`,
      `      CLIENT send ${ledger}#debit`,
      `        SERVER process ${ledger}#debit`,
    ]);
  });

  it('do not tell what wildcards stand for on the side that serves them', async () => {
    register();
    const client = await setup();
    await firstValueFrom(client.send('of.jane', {}));
    await outcome(client.emit('paid.jane', {}));
    await log.has(`SERVER process ${billing}`, `CONSUMER process ${billing}`);
    for (const text of [`SERVER process ${billing}`, `CONSUMER process ${billing}`]) {
      expect(JSON.stringify(ended(text).attributes)).not.toContain('jane');
    }
    expect(JSON.stringify(await recorded('messaging.process.duration'))).not.toContain('jane');
  });
});

describe('the spans of an event', () => {
  it('are of producer and consumer, linked too', async () => {
    register();
    const client = await setup();
    await outcome(client.emit('paid', {}));
    await log.has(`CONSUMER process ${sent('paid')}`);
    expect(traces()).toStrictEqual([
      `PRODUCER send ${sent('paid')}`,
      `  CONSUMER process ${sent('paid')}`,
      '    INTERNAL noting',
    ]);
    const producer = ended(`PRODUCER send ${sent('paid')}`);
    const consumer = ended(`CONSUMER process ${sent('paid')}`);
    expect(producer.attributes).toMatchObject({ 'messaging.slim.message.kind': 'event' });
    expect(consumer.links.map((link) => link.context.spanId)).toStrictEqual([
      producer.spanContext().spanId,
    ]);
  });

  it('tell when a handler failed, which the sender does not hear of', async () => {
    register();
    const client = await setup();
    await outcome(client.emit('paid.jane', {}));
    const spans = [`PRODUCER send ${sent('paid.jane')}`, `CONSUMER process ${billing}`];
    await log.has(...spans);
    expect(failures(...spans)).toStrictEqual([
      ['UNSET', undefined, undefined],
      ['ERROR', undefined, '_OTHER'],
    ]);
  });
});

describe('the spans of a channel message', () => {
  const meeting = async (): Promise<Desk> => {
    const provide = async (name: string, type: Type) =>
      fabric.serve({ providers: [type] }, { name, discoveryMs: 100, ...watched() });
    const agent = await provide('acme/ops/agent', Agent);
    const desk = await provide('acme/ops/desk', Desk);
    await log.has('joined');
    await agent.get(Agent).room.ready;
    return desk.get(Desk);
  };

  it('are of whoever publishes and of each who hears', async () => {
    register();
    const { room } = await meeting();
    await span('announcing', () => room.publish('news', { metadata: { mood: 'calm' } }));
    await log.has('heard mood,traceparent', `CONSUMER process ${roomName}`);
    expect(traces()).toStrictEqual([
      'INTERNAL announcing',
      `  PRODUCER send ${roomName}`,
      `    CONSUMER process ${roomName}`,
      '      INTERNAL hearing',
    ]);
    expect(ended(`CONSUMER process ${roomName}`).attributes).toMatchObject({
      'messaging.destination.name': roomName,
      'messaging.slim.peer.name': 'acme/ops/desk',
    });
  });

  it('are as many when a client emits to the channel, and hold what a handler failed with', async () => {
    register();
    const { client } = await meeting();
    await outcome(client.emit(roomName, 'bad news'));
    const spans = [`PRODUCER send ${roomName}`, `CONSUMER process ${roomName}`];
    await log.has(...spans);
    expect(failures(...spans)).toStrictEqual([
      ['UNSET', undefined, undefined],
      ['ERROR', undefined, 'RangeError'],
    ]);
  });

  it('fail with the code of a message that could not be published', async () => {
    register();
    const { room } = await meeting();
    await room.close();
    await expect(room.publish('too late')).rejects.toMatchObject({ code: 'session-closed' });
    const spans = [`PRODUCER send ${roomName}`];
    expect(failures(...spans)).toStrictEqual([['ERROR', undefined, 'session-closed']]);
  });

  it('are apart when it is plain, as nodes read what goes along with it', async () => {
    register();
    const { room } = await meeting();
    await room.publish('news', { plain: true });
    await log.has('heard ', `CONSUMER process ${roomName}`);
    expect(traces()).toStrictEqual([
      `CONSUMER process ${roomName}`,
      '  INTERNAL hearing',
      `PRODUCER send ${roomName}`,
    ]);
  });
});

describe('the metrics', () => {
  const whenEnded = async (text: string, asked: Observable<unknown>): Promise<void> => {
    log.clear();
    await outcome(asked);
    await log.has(text);
  };

  it('count and time what is sent and what is handled, with few labels', async () => {
    register();
    const client = await setup();
    await whenEnded(`SERVER process ${sent('create')}`, client.send('create', {}));
    await whenEnded(`SERVER process ${sent('create')}`, client.send('create', {}));
    await whenEnded(`SERVER process ${sent('buy')}`, client.send('buy', {}));
    await whenEnded(`CONSUMER process ${sent('paid')}`, client.emit('paid', {}));
    const of = (kind: string, operation: string) => ({
      ...slim,
      'messaging.slim.message.kind': kind,
      'messaging.slim.operation': operation,
    });
    const failed = { 'error.type': 'out-of-stock' };
    const sends = [
      [{ ...of('request', 'create'), ...bySender }, 2],
      [{ ...of('request', 'buy'), ...bySender, ...failed }, 1],
      [{ ...of('event', 'paid'), ...bySender }, 1],
    ];
    expect(await recorded('messaging.client.operation.duration')).toStrictEqual(sends);
    expect(await recorded('messaging.client.sent.messages')).toStrictEqual(sends);
    expect(await recorded('messaging.process.duration')).toStrictEqual([
      [{ ...of('request', 'create'), ...byReceiver }, 2],
      [{ ...of('request', 'buy'), ...byReceiver, ...failed }, 1],
      [{ ...of('event', 'paid'), ...byReceiver }, 1],
    ]);
    expect(await recorded('messaging.client.consumed.messages')).toStrictEqual([
      [{ ...of('request', 'create'), ...byReceiver }, 2],
      [{ ...of('request', 'buy'), ...byReceiver }, 1],
      [{ ...of('event', 'paid'), ...byReceiver }, 1],
    ]);
  });

  it('are in seconds, with the bounds of the conventions', async () => {
    register();
    const client = await setup();
    await firstValueFrom(client.send('create', {}));
    await log.has(`SERVER process ${sent('create')}`);
    const all = await collected();
    const histograms = all.filter(({ dataPointType }) => dataPointType === DataPointType.HISTOGRAM);
    const bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    expect(histograms).toHaveLength(2);
    for (const { descriptor, dataPoints } of histograms) {
      expect(descriptor.unit).toBe('s');
      expect(dataPoints[0]?.value).toMatchObject({ buckets: { boundaries: bounds } });
    }
  });
});

describe('OpenTelemetry', () => {
  it('is left alone when nothing is registered', async () => {
    const client = await setup();
    expect(await firstValueFrom(client.send('metadata', {}))).toStrictEqual({});
    expect(await outcome(client.emit('paid', {}))).toMatchObject({ values: [undefined] });
    expect(traces()).toStrictEqual([]);
  });

  it('may be registered after the telemetry was made', async () => {
    const client = await setup();
    register();
    await firstValueFrom(client.send('create', {}));
    await log.has(`SERVER process ${sent('create')}`);
    expect(traces()).toHaveLength(3);
    expect(await recorded('messaging.client.sent.messages')).toHaveLength(1);
  });

  it('may be given instead', async () => {
    const spanProcessors = [new SimpleSpanProcessor(exporter)];
    const client = await setup({
      tracerProvider: new BasicTracerProvider({ spanProcessors }),
      meterProvider: new MeterProvider({ readers: [reader] }),
      propagator: new W3CTraceContextPropagator(),
    });
    expect(await firstValueFrom(client.send('metadata', {}))).toStrictEqual({
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    await log.has(`SERVER process ${sent('metadata')}`);
    expect(traces()).toHaveLength(2);
    expect(await recorded('messaging.process.duration')).toHaveLength(1);
  });

  it.each(['onStart', 'onEnd', 'inject', 'extract'])(
    'does no harm by throwing in %s',
    async (where) => {
      const fail = (): never => {
        throw new Error('not today');
      };
      const spanProcessors = [
        Object.assign(
          new SimpleSpanProcessor(exporter),
          where.startsWith('on') && { [where]: fail },
        ),
      ];
      const propagator = Object.assign(new W3CTraceContextPropagator(), { [where]: fail });
      const tracerProvider = new BasicTracerProvider({ spanProcessors });
      const client = await setup({ tracerProvider, propagator });
      expect(await firstValueFrom(client.send('create', {}))).toBe('created');
      expect(await outcome(client.emit('paid', {}))).toMatchObject({ values: [undefined] });
    },
  );

  it('adds nothing to payloads of other kinds, as nodes read what goes along with them', async () => {
    register();
    const client = await setup();
    const record = new SlimRecordBuilder('hi').setMetadata({ tenant: 'a' });
    const plain = record.setPayloadType('text/plain').build();
    expect(await client.request(billing, plain)).toStrictEqual({ tenant: 'a' });
    await log.has(`SERVER process ${billing}`);
    expect(traces()).toStrictEqual([`SERVER process ${billing}`, `CLIENT send ${billing}`]);
  });
});
