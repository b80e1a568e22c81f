import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Injectable, Module, ParseIntPipe, type Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SlimName } from '@nestjs-slim/core';
import type { SlimContext } from './slim-context.js';
import { slimMicroservice } from './slim-microservice.js';
import { SlimParam } from './slim-parameters.js';
import { SlimServer } from './slim-server.js';
import { SlimModule } from './slim.module.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { Log } from './testing/spec-log.js';
import { outcome } from './testing/spec-outcome.js';

const log = new Log();
const ledger = 'acme/ledger/book';

@Controller()
class PatternController {
  @MessagePattern({ name: ledger, operation: 'write' })
  write(): string {
    return 'written';
  }

  @MessagePattern({ operation: 'read' })
  read(): string {
    return 'read';
  }

  @MessagePattern('{"cmd":"sum"}')
  json(): string {
    return 'plain text';
  }

  @MessagePattern('user.:id')
  user(@SlimParam('id', ParseIntPipe) id: number): unknown {
    return { user: id };
  }

  @MessagePattern('user.:id.:field')
  field(@SlimParam() params: unknown, @Payload() data: unknown): unknown {
    return { params, data };
  }

  @MessagePattern('user.**')
  anything(@SlimParam('**') rest: string, @SlimParam('id') id: unknown): unknown {
    return [rest, id];
  }

  @MessagePattern('user.root')
  root(@Ctx() context: SlimContext): unknown {
    return [context.getPattern(), context.getOperation(), context.getParams()];
  }

  @MessagePattern(['v1.list', 'v2.*'])
  list(@SlimParam() params: unknown): unknown {
    return params;
  }

  @EventPattern<string>('user.:id.created')
  created(@SlimParam('id') id: string): void {
    log.add(`created ${id}`);
  }

  @EventPattern<string>('user.:name.created')
  named(@SlimParam('name') name: string): void {
    log.add(`named ${name}`);
  }

  @EventPattern<string>('*.*.created')
  some(@SlimParam('0') kind: string, @SlimParam('1') id: string): void {
    log.add(`some ${kind} ${id}`);
  }
}

describe('the pattern of a handler', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [PatternController] });
  });
  afterEach(() => fabric.end());

  it.each([
    [{ name: ledger, operation: 'write' }, 'written'],
    [{ name: SlimName.parse(ledger), operation: 'write' }, 'written'],
    [`${ledger}#write`, 'written'],
    [{ operation: 'read' }, 'read'],
    ['read', 'read'],
    [{ name: billing, operation: 'read' }, 'read'],
    ['{"cmd":"sum"}', 'plain text'],
    [{ operation: '{"cmd":"sum"}' }, 'plain text'],
    ['user.7', { user: 7 }],
    ['user.7.name', { params: { id: '7', field: 'name' }, data: 1 }],
    ['user.7.name.first', ['7.name.first', null]],
    ['user.root', [`${billing}#user.root`, 'user.root', {}]],
    ['v1.list', {}],
    ['v2.list', { 0: 'list' }],
  ])('is met by %j', async (pattern, answer) => {
    expect(await outcome(fabric.client().send(pattern, 1))).toStrictEqual({ values: [answer] });
  });

  it('has parameters that go through pipes, which may refuse them', async () => {
    const { failed } = await outcome(fabric.client().send('user.seven', 1));
    expect(failed?.with).toMatchObject({ status: 'error' });
  });

  it('is not met by what leaves a wildcard empty', async () => {
    const { failed } = await outcome(fabric.client().send('user.', 1));
    expect(failed?.with).toMatchObject({ code: 'no-handler' });
  });

  it('gives each handler of an event what it calls its wildcards', async () => {
    await outcome(fabric.client().emit('user.7.created', 1));
    await log.has('created 7', 'named 7', 'some user 7');
    expect(log.lines).toHaveLength(3);
  });

  it('is never taken for JSON', async () => {
    const parse = jest.spyOn(JSON, 'parse');
    try {
      await outcome(fabric.client().send('read', 1));
      const texts = parse.mock.calls.map(([text]) => text);
      expect(texts).not.toContain(`${billing}#read`);
      expect(texts).not.toContain('read');
    } finally {
      parse.mockRestore();
    }
  });

  it.each([
    { cmd: 'sum' },
    { name: 'create' },
    { operation: 'a/b' },
    { name: ledger, operation: 'a b' },
    ['create'],
    '${SLIM_SPEC_NOWHERE}',
  ])('%j fails on the side that sends it', async (pattern) => {
    const client = fabric.client();
    const code = expect.stringMatching(/^invalid-(name|config)$/);
    const { failed } = await outcome(client.send(pattern, 1));
    expect(failed?.with).toMatchObject({ name: 'SlimError', code });
    expect((await outcome(client.emit(pattern, 1))).failed?.with).toMatchObject({ code });
  });

  it('finds the handler as a lookup by pattern does', async () => {
    const server = new SlimServer(fabric.options(billing));
    const handler = async (): Promise<void> => undefined;
    server.addHandler('user.:id', handler);
    server.addHandler('told.*', handler, true);
    expect(server.getHandlerByPattern(`${billing}#user.7`)).toBe(handler);
    expect(server.getHandlerByPattern(`${billing}#told.7`)).toBe(handler);
    expect(server.getHandlerByPattern(`${billing}#user`)).toBeNull();
  });
});

/** A controller class with one decorated method for each entry. */
function controller(name: string, methods: Readonly<Record<string, MethodDecorator>>): Type {
  const type = { [name]: class {} }[name] ?? class {};
  return decorated(type, methods);
}

function decorated(type: Type, methods: Readonly<Record<string, MethodDecorator>>): Type {
  const prototype = type.prototype as Record<string, unknown>;
  for (const [method, decorator] of Object.entries(methods)) {
    Object.defineProperty(prototype, method, {
      value: () => undefined,
      configurable: true,
      writable: true,
    });
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method) ?? {};
    decorator(prototype, method, descriptor);
  }
  Controller()(type);
  return type;
}

const message = (pattern: unknown): MethodDecorator => MessagePattern(pattern);
const event = (pattern: string): MethodDecorator =>
  EventPattern<string>(pattern) as MethodDecorator;

function inherited(): Type {
  const base = controller('Base', { create: message('create') });
  const derived = { Derived: class extends base {} }.Derived;
  return decorated(derived, { make: message('create') });
}

/** What must not boot, and what the error says. */
const refused: readonly [string, () => readonly Type[], string][] = [
  ['a bad name', () => [controller('A', { run: message('acme//x') })], 'A.run: '],
  [
    'an object that is no pattern',
    () => [controller('A', { run: message({ cmd: 1 }) })],
    'A.run: ',
  ],
  ['"**" before the end', () => [controller('A', { run: message('a.**.b') })], 'A.run: '],
  ['two wildcards of one name', () => [controller('A', { run: event('a.:b.:b') })], 'A.run: '],
  [
    'an instance',
    () => [controller('A', { run: message(`${ledger}/00000000-0000-0000-0000-000000000001`) })],
    'A.run: ',
  ],
  [
    'one bad pattern of several',
    () => [controller('A', { fine: message('x'), run: message(['good', 'not good']) })],
    'A.run: ',
  ],
  [
    'two message handlers in two classes',
    () => [
      controller('A', { create: message('create') }),
      controller('B', { make: message(`${billing}#create`) }),
    ],
    'A.create and B.make: message handler "create" and message handler',
  ],
  [
    'one of them in an array',
    () => [
      controller('A', { create: message(['new', 'create']) }),
      controller('B', { make: message({ operation: 'create' }) }),
    ],
    'A.create and B.make: ',
  ],
  ['one of them inherited', () => [inherited()], 'Derived.make and Derived.create: '],
  [
    'wildcards of one shape',
    () => [controller('A', { one: message('user.:id'), two: message('user.*') })],
    'A.one and A.two: message handler "user.:id" and message handler "user.*"',
  ],
  [
    'a message and an event handler',
    () => [
      controller('A', { one: message('user.:id') }),
      controller('B', { two: event('user.:x') }),
    ],
    'A.one and B.two: message handler "user.:id" and event handler "user.:x"',
  ],
  [
    'a method that serves another transport beside',
    () => [
      controller('A', { one: message('create'), two: message('create') }),
      controller('B', { tcp: MessagePattern('create', Transport.TCP) }),
    ],
    'A.one and A.two: ',
  ],
  [
    'no value for a placeholder',
    () => [controller('A', { run: message('${NOWHERE}.x') })],
    'A.run: ',
  ],
];

describe('the handlers of an application', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  it.each(refused)('with %s do not boot, and the methods are named', async (_, made, said) => {
    const boot = fabric.serve({ controllers: [...made()] });
    const failure: unknown = await boot.catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ name: 'SlimError', message: expect.stringContaining(said) });
    expect(String(failure)).not.toContain('B.tcp');
  });

  it('that override one which was decorated do not count it', async () => {
    const base = controller('Base', { create: message('create') });
    class Derived extends base {
      create(): string {
        return 'not a handler';
      }
    }
    const type = decorated(Derived, { make: message('create') });
    await expect(fabric.serve({ controllers: [type] })).resolves.toBeDefined();
  });

  it('name the placeholder that nothing gives a value', async () => {
    const boot = fabric.serve(
      { controllers: [controller('A', { run: message('${NOWHERE}#x') })] },
      { resolvePlaceholder: () => undefined },
    );
    await expect(boot).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'A.run: nothing gives ${NOWHERE} in "${NOWHERE}#x" a value',
    });
  });
});

@Injectable()
class Config {
  private readonly values = new Map([
    ['LEDGER', ledger],
    ['VERSION', 'v2'],
  ]);

  get(key: string): string | undefined {
    return this.values.get(key);
  }
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Controller()
class ConfiguredController {
  @MessagePattern('${LEDGER}#${VERSION}.write')
  write(): string {
    return 'by text';
  }

  @MessagePattern({ name: '${LEDGER}', operation: '${VERSION}.read' })
  read(): string {
    return 'by object';
  }
}

describe('placeholders', () => {
  it('stand for the configuration of the module, in handlers, clients and targets', async () => {
    const fabric = await Fabric.start();
    const module = await Test.createTestingModule({
      imports: [
        SlimModule.forRootAsync({
          imports: [ConfigModule],
          inject: [Config],
          useFactory: async (config: Config) =>
            fabric.options(billing, { resolvePlaceholder: (key) => config.get(key) }),
        }),
        SlimModule.forFeature([{ name: 'LEDGER', target: '${LEDGER}' }]),
      ],
      controllers: [ConfiguredController],
    }).compile();
    const app = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    fabric.endWith(() => app.close());
    await app.listen();
    const byText = fabric.client().send(`${ledger}#v2.write`, 1);
    expect(await outcome(byText)).toStrictEqual({ values: ['by text'] });
    const resolvePlaceholder = (key: string): string | undefined => app.get(Config).get(key);
    const client = fabric.client({ target: '${LEDGER}', resolvePlaceholder });
    for (const pattern of [
      '${VERSION}.read',
      { name: '${LEDGER}', operation: '${VERSION}.read' },
    ]) {
      expect(await outcome(client.send(pattern, 1))).toStrictEqual({ values: ['by object'] });
    }
    await fabric.end();
  });
});
