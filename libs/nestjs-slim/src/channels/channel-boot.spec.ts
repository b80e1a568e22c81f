import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable, Scope, type Provider } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { ManualClock } from '@nestjs-slim/core/testing';
import type { SlimError, SlimName } from '@nestjs-slim/core';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { SlimSource } from '../slim-parameters.js';
import { slimMicroservice } from '../slim-microservice.js';
import type { SlimOptions } from '../slim-options.js';
import { SlimModule } from '../slim.module.js';
import { billing, Fabric } from '../testing/spec-fabric.js';
import { Log } from '../testing/spec-log.js';
import {
  ChannelClosed,
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  SlimChannel,
} from './channel-decorators.js';
import type { SlimChannelOptions } from './channel-marks.js';
import type { SlimChannelRef } from './slim-channel-ref.js';

const log = new Log();

function sideOf(options: SlimChannelOptions, scope = Scope.DEFAULT): Provider {
  @SlimChannel(options)
  @Injectable({ scope })
  class Side {}
  return Side;
}

@SlimChannel({ name: 'acme/ops/room' })
class First {}

@SlimChannel({ name: '${STAGE}/ops/room', moderator: true, invite: ['${STAGE}/ops/${ROLE}'] })
class Second {
  constructor(@InjectChannel('${STAGE}/ops/room') readonly room: SlimChannelRef) {}

  @ParticipantJoined()
  joined(@SlimSource() { service }: SlimName): void {
    log.add(`joined ${service}`);
  }

  @ChannelClosed()
  closed(): void {
    log.add('moderator closed');
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {}

@SlimChannel({ name: 'acme/ops/room', moderator: true })
class ByDependency {
  constructor(readonly other: PerRequest) {}
}

@SlimChannel({ name: '${STAGE}/ops/room' })
class Slow {
  constructor(@InjectChannel('acme/ops/room') readonly room: SlimChannelRef) {}

  @ChannelMessage()
  async said(@Payload() text: string): Promise<void> {
    log.add(`began ${text}`);
    await new Promise(() => undefined);
  }

  @ChannelClosed()
  closed(): void {
    log.add('closed');
  }
}

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown): unknown {
    return data;
  }
}

const stage = { resolvePlaceholder: (key: string) => ({ STAGE: 'acme', ROLE: 'agent' })[key] };

describe('an application with channel classes', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const boot = async (providers: Provider[], extra: Partial<SlimOptions> = {}) => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(billing, extra))],
      providers,
    }).compile();
    const app = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    fabric.endWith(() => app.close());
    return app.listen();
  };

  const room = 'acme/ops/room';
  const singleton = 'a channel class, and all it injects, has to be a singleton';
  const invalid: readonly {
    readonly what: string;
    readonly providers: Provider[];
    readonly code?: string;
    readonly says: string;
    readonly extra?: Partial<SlimOptions>;
  }[] = [
    {
      what: 'two classes for one channel',
      providers: [First, sideOf({ name: room, moderator: true })],
      says: `First and Side are both channel "${room}"`,
    },
    {
      what: 'two classes for one channel by placeholders',
      providers: [First, Second],
      says: `First and Second are both channel "${room}"`,
      extra: stage,
    },
    {
      what: 'a request-scoped moderator',
      providers: [sideOf({ name: room, moderator: true }, Scope.REQUEST)],
      says: `Side: ${singleton}`,
    },
    {
      what: 'a moderator with something request-scoped in it',
      providers: [ByDependency, PerRequest],
      says: `ByDependency: ${singleton}`,
    },
    {
      what: 'a transient class',
      providers: [sideOf({ name: room }, Scope.TRANSIENT)],
      says: `Side: ${singleton}`,
    },
    {
      what: 'a placeholder without a value',
      providers: [Second],
      says: 'Second: nothing gives ${STAGE} in "${STAGE}/ops/room" a value',
      extra: { resolvePlaceholder: () => undefined },
    },
    {
      what: 'a name that is none',
      providers: [sideOf({ name: 'room' })],
      code: 'invalid-name',
      says: 'Side: expected org/namespace/service, got "room"',
    },
    {
      what: 'the name of an instance',
      providers: [sideOf({ name: `${room}/0000000000000000000000000000000a` })],
      code: 'invalid-name',
      says: `Side: "${room}/0000000000000000000000000000000a" names an instance`,
    },
    {
      what: 'a participant that invites',
      providers: [sideOf({ name: room, invite: ['acme/ops/agent'] })],
      says: 'Side: only a moderator invites',
    },
    {
      what: 'a moderator that invites itself',
      providers: [sideOf({ name: room, moderator: true, invite: [billing] })],
      says: 'Side: a moderator cannot invite its own name',
    },
    {
      what: 'a channel of its own name',
      providers: [sideOf({ name: billing })],
      says: `Side: "${billing}" is the name of the application`,
    },
    {
      what: 'a pause that is none',
      providers: [sideOf({ name: room, moderator: true, inviteRetryMs: -1 })],
      says: 'Side: inviteRetryMs: expected milliseconds',
    },
  ];

  it.each(invalid)('does not start with $what', async ({ providers, extra, code, says }) => {
    const reason: unknown = await boot(providers, extra).catch((error: unknown) => error);
    expect(reason).toMatchObject({ name: 'SlimError', code: code ?? 'invalid-config' });
    expect((reason as SlimError).message).toContain(says);
  });

  it('may have one object under two tokens', async () => {
    await boot([First, { provide: 'ALIAS', useExisting: First }]);
    const made = { provide: 'MADE', useFactory: () => new First() };
    await boot([made], { name: 'acme/ops/other' });
    const channel = await (await fabric.peer()).createChannel('acme/ops/room');
    const results = await channel.inviteAll([billing, 'acme/ops/other']);
    expect(results.map(({ error }) => error)).toStrictEqual([undefined, undefined]);
  });

  it('takes placeholders from the module or from the environment', async () => {
    await fabric.serve({ providers: [First] }, { name: 'acme/ops/agent' });
    const app = await fabric.serve({ providers: [Second] }, { name: 'acme/ops/a', ...stage });
    await log.has('joined acme/ops/agent');
    expect(app.get(Second).room.name).toBe('acme/ops/room');
    await app.close();
    log.clear();
    process.env['STAGE'] = 'acme';
    process.env['ROLE'] = 'agent';
    try {
      await fabric.serve({ providers: [Second] }, { name: 'acme/ops/b' });
      await log.has('joined acme/ops/agent');
    } finally {
      delete process.env['STAGE'];
      delete process.env['ROLE'];
    }
  });

  it('serves requests beside its channels, in a hybrid application too', async () => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(billing, stage))],
      controllers: [EchoController],
      providers: [Second],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    fabric.endWith(() => app.close());
    app.connectMicroservice(slimMicroservice(), { deferInitialization: true });
    await app.startAllMicroservices();
    await app.init();
    await fabric.serve({ providers: [First] }, { name: 'acme/ops/agent' });
    await app.get(Second).room.ready;
    expect(await firstValueFrom(fabric.client().send('echo', 'x'))).toBe('x');
    await app.close();
    expect(log.lines).toContain('moderator closed');
  });

  it('refuses invitations before its bootstrap', async () => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(billing))],
      providers: [First],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    fabric.endWith(() => app.close());
    app.connectMicroservice(slimMicroservice());
    await app.startAllMicroservices();
    const channel = await (await fabric.peer()).createChannel('acme/ops/room');
    await expect(channel.invite(billing)).rejects.toMatchObject({ code: 'refused' });
    await app.init();
    await channel.invite(billing);
  });

  it('tries to connect until it can', async () => {
    const errors: unknown[] = [];
    const extra = { node: 'http://127.0.0.1:1', ...stage };
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(billing, extra))],
      providers: [Second],
    }).compile();
    module.useLogger(false);
    const { SlimConnection } = await import('../slim-connection.js');
    const failed = new Promise<void>((resolve) =>
      module.get(SlimConnection).on('error', (reason) => {
        errors.push(reason);
        resolve();
      }),
    );
    await module.init();
    await failed;
    expect(errors[0]).toMatchObject({ code: 'link-failed' });
    const waiting = module.get(Second).room.ready;
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ code: 'session-closed' }),
      module.close(),
    ]);
  });
});

describe('shutting down an application with channels', () => {
  it('waits for handlers as long as it may, and leaves no timer', async () => {
    const clock = new ManualClock(Date.now());
    const fabric = await Fabric.start(clock);
    log.clear();
    const participant = await fabric.serve(
      { providers: [Slow] },
      { name: 'acme/ops/agent', drainMs: 5_000, ...stage },
    );
    const moderator = await fabric.serve(
      { providers: [Second] },
      { name: 'acme/ops/desk', ...stage },
    );
    await participant.get(Slow).room.ready;
    await log.has('joined acme/ops/agent');
    await moderator.get(Second).room.publish('slow work');
    await log.has('began slow work');
    const closed = participant.close();
    const beganMs = clock.now();
    while (!log.lines.includes('closed')) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(500);
    }
    expect(clock.now() - beganMs).toBeGreaterThanOrEqual(5_000);
    await closed;
    await moderator.close();
    await fabric.end();
    expect(clock.pending).toBe(0);
  });

  it('ends invitations of those who never came', async () => {
    const clock = new ManualClock(Date.now());
    const fabric = await Fabric.start(clock);
    const moderator = await fabric.serve(
      { providers: [Second] },
      { name: 'acme/ops/desk', ...stage },
    );
    const failed = new Promise((resolve) => moderator.on('error', resolve));
    await moderator.get(Second).room.ready;
    while (clock.pending > 0) {
      clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
      if (await Promise.race([failed, Promise.resolve(false)])) break;
    }
    expect(await failed).toMatchObject({ code: 'no-route' });
    await moderator.close();
    await fabric.end();
    expect(clock.pending).toBe(0);
  });
});
