import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, Scope } from '@nestjs/common';
import { CONTEXT, Ctx, MessagePattern, Payload, type RequestContext } from '@nestjs/microservices';
import { EMPTY, firstValueFrom, from, of, type Observable } from 'rxjs';
import { SlimContext } from './slim-context.js';
import { SlimRecordBuilder } from './slim-record.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

@Controller()
class MathController {
  @MessagePattern('sum')
  sum(numbers: number[]): number {
    return sum(numbers);
  }

  @MessagePattern('async')
  async async(numbers: number[]): Promise<number> {
    return sum(numbers);
  }

  @MessagePattern('observable')
  observable(numbers: number[]): Observable<number> {
    return of(sum(numbers));
  }

  @MessagePattern('promised-observable')
  async promisedObservable(numbers: number[]): Promise<Observable<number>> {
    return of(sum(numbers));
  }

  @MessagePattern(billing)
  default(numbers: number[]): number {
    return sum(numbers);
  }

  @MessagePattern('acme/billing/other#sum')
  other(numbers: number[]): number {
    return sum(numbers);
  }

  @MessagePattern(['first', 'second'])
  either(numbers: number[]): number {
    return sum(numbers);
  }
}

const results: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  '0': 0,
  false: false,
  empty: '',
  text: 'text',
  object: { a: [1, { b: null }] },
};

@Controller()
class ResultController {
  @MessagePattern('result')
  result(which: string): unknown {
    return results[which];
  }

  @MessagePattern('nothing')
  nothing(): Observable<never> {
    return EMPTY;
  }

  @MessagePattern('several')
  several(): Observable<unknown> {
    return from([undefined, null, 0, undefined]);
  }

  @MessagePattern('echo')
  echo(data: unknown): unknown {
    return data;
  }

  @MessagePattern('type')
  type(data: unknown): string {
    return data === null ? 'null' : typeof data;
  }

  @MessagePattern('context')
  context(@Ctx() context: SlimContext): unknown {
    return {
      pattern: context.getPattern(),
      operation: context.getOperation(),
      name: String(context.getName()),
      destination: String(context.getDestination()),
      source: String(context.getSource()),
      subject: context.getIdentity().subject,
      metadata: context.getMetadata(),
      isForeign: context.isForeign(),
      isAborted: context.getSignal().aborted,
      hasDeadline: (context.getDeadline() ?? 0) > 0,
      mls: context.getSession().mls,
      payloadType: context.getMessage().payloadType,
    };
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScoped {
  static made = 0;
  constructor(@Inject(CONTEXT) readonly request: RequestContext<unknown, SlimContext>) {
    RequestScoped.made += 1;
  }
}

@Controller()
class ScopedController {
  constructor(private readonly scoped: RequestScoped) {}

  @MessagePattern('scoped')
  get(@Payload() data: string): unknown {
    const { request } = this.scoped;
    return [data, request.getPattern(), request.getContext().getOperation()];
  }
}

describe('a request', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({
      controllers: [MathController, ResultController, ScopedController],
      providers: [RequestScoped],
    });
  });
  afterEach(() => fabric.end());

  it('is answered by handlers of every kind, at every kind of pattern', async () => {
    const client = fabric.client();
    const patterns = ['sum', 'async', 'observable', 'promised-observable', 'first', 'second'];
    const full = [billing, `${billing}#sum`, 'acme/billing/other#sum'];
    for (const pattern of [...patterns, ...full]) {
      const answer = await outcome(client.send(pattern, [1, 2, 3, 4, 5]));
      expect([pattern, answer]).toStrictEqual([pattern, { values: [15] }]);
    }
  });

  it('gets its own answer when ten are under way', async () => {
    const client = fabric.client();
    const tens = Array.from({ length: 10 }, (_, index) => index);
    const answers = tens.map((n) => firstValueFrom(client.send<number>('sum', [n, 100])));
    expect(await Promise.all(answers)).toStrictEqual(tens.map((n) => n + 100));
  });

  it('is sent once for each subscription, and not before', async () => {
    const client = fabric.client();
    const answer = client.send('sum', [1, 2]);
    expect(() => client.unwrap()).toThrow(expect.objectContaining({ code: 'link-closed' }));
    expect(await outcome(answer)).toStrictEqual(await outcome(answer));
  });

  it.each(Object.keys(results))('gets a result that is %s as it is', async (which) => {
    const answer = await outcome(fabric.client().send('result', which));
    expect(answer).toStrictEqual({ values: [results[which]] });
  });

  it('gets no value from a handler that gives none, and each from one that gives several', async () => {
    const client = fabric.client();
    expect(await outcome(client.send('nothing', {}))).toStrictEqual({ values: [] });
    expect(await outcome(client.send('several', {}))).toStrictEqual({
      values: [undefined, null, 0, undefined],
    });
  });

  it('carries bytes untouched, however many requests carry some', async () => {
    const client = fabric.client();
    const payloads = [0, 1, 2].map((n) => new Uint8Array([n, 0xff, 0xfe, 0x00, 0x80]));
    const answers = payloads.map((bytes) => firstValueFrom(client.send<Uint8Array>('echo', bytes)));
    expect(await Promise.all(answers)).toStrictEqual(payloads);
  });

  it('needs data, which in a record may be undefined or null', async () => {
    const client = fabric.client();
    for (const data of [undefined, null]) {
      const bare = await outcome(client.send('type', data));
      expect(bare.failed?.with).toMatchObject({ message: expect.stringContaining('invalid data') });
      const record = new SlimRecordBuilder(data).build();
      expect(await outcome(client.send('type', record))).toStrictEqual({ values: [String(data)] });
    }
  });

  it('shows its handler who asks, by which name, and what came beside the data', async () => {
    const client = fabric.client();
    const record = new SlimRecordBuilder({}).setMetadata({ tenant: 'a' }).build();
    const context = await firstValueFrom(client.send('context', record));
    const app = await client.connect();
    expect(context).toStrictEqual({
      pattern: `${billing}#context`,
      operation: 'context',
      name: expect.stringMatching(/^acme\/billing\/invoices\/[0-9a-f-]{36}$/),
      destination: expect.stringMatching(/^acme\/billing\/invoices\/[0-9a-f-]{36}$/),
      source: String(app.name),
      subject: expect.stringContaining('acme/tests/client'),
      metadata: { tenant: 'a' },
      isForeign: false,
      isAborted: false,
      hasDeadline: true,
      mls: true,
      payloadType: 'application/vnd.nestjs-slim.v1',
    });
  });

  it('carries what a dispatch hook of Nest 12 adds, beside what the caller set', async () => {
    const client = fabric.client();
    // Nest 11 has no such hook.
    if (!('setOnDispatchHook' in client)) return;
    client.setOnDispatchHook((packet) => (packet.metadata = { trace: 'new' }));
    const builder = new SlimRecordBuilder({}).setMetadata({ tenant: 'a', trace: 'old' });
    const context = await firstValueFrom(client.send('context', builder.build()));
    expect(context).toMatchObject({ metadata: { tenant: 'a', trace: 'new' } });
  });

  it('makes request-scoped providers anew', async () => {
    const client = fabric.client();
    const before = RequestScoped.made;
    for (const data of ['a', 'b']) {
      const answer = await firstValueFrom(client.send('scoped', data));
      expect(answer).toStrictEqual([data, 'scoped', 'scoped']);
    }
    expect(RequestScoped.made - before).toBe(2);
  });

  it.each([{ mls: false }, { reliable: false }, { mls: false, reliable: false }])(
    'is answered in sessions with %p',
    async (options) => {
      const answer = await outcome(fabric.client(options).send('sum', [1, 2]));
      expect(answer).toStrictEqual({ values: [3] });
    },
  );
});

describe('a request to one instance', () => {
  it('reaches that instance, every time', async () => {
    const fabric = await Fabric.start();
    const services = await Promise.all(
      [1, 2, 3].map(() => fabric.serve({ controllers: [ResultController] })),
    );
    const client = fabric.client();
    for (const service of services) {
      const name = String(service.unwrap<{ name: unknown }>().name);
      const context = await firstValueFrom(client.send(`${name}#context`, {}));
      expect(context).toMatchObject({ name, pattern: `${billing}#context` });
    }
    await fabric.end();
  });
});
