import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Transport,
  type ClientProxy,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  jwt,
  sharedSecret,
  type Identity,
  type IdentitySource,
  type JwtOptions,
} from '@nestjs-slim/core';
import { firstValueFrom } from 'rxjs';
import { ChannelMessage, ParticipantJoined, SlimChannel } from '../channels/channel-decorators.js';
import { slimMicroservice } from '../slim-microservice.js';
import { SlimModule } from '../slim.module.js';
import { billing, Fabric, secret } from '../testing/spec-fabric.js';
import { Log } from '../testing/spec-log.js';
import { outcome } from '../testing/spec-outcome.js';
import { AllowFrom } from './allow-from.js';
import { AllowFromGuard } from './allow-from.guard.js';
import type { AllowFromRule } from './allow-rule.js';

const log = new Log();
const gateway = 'acme/shop/gateway';
const denied = { code: 'permission-denied', message: 'permission denied', retryable: false };

const hasRole =
  (role: string) =>
  ({ claims }: Identity): boolean =>
    Array.isArray(claims['roles']) && claims['roles'].includes(role);

/** As if an issuer had written roles into the tokens of the shop. */
const tellingRoles: IdentitySource = (context) => {
  const { provider, verifier } = sharedSecret({ secret })(context);
  const tell = (identity: Identity): Identity => {
    const roles = identity.subject.startsWith('acme/shop/') ? ['cashier'] : [];
    return { ...identity, claims: { ...identity.claims, roles } };
  };
  return {
    provider,
    verifier: {
      verify: async (token) => tell(await verifier.verify(token)),
      verifyCredential: async (token) => tell(await verifier.verifyCredential(token)),
    },
  };
};

@Controller()
@AllowFrom('acme/shop/*')
class GuardedController {
  @MessagePattern('by-class')
  byClass(): string {
    return 'by class';
  }

  @MessagePattern('by-method')
  @AllowFrom('acme/ops/audit', 'acme/ops/backup')
  byMethod(): string {
    return 'by method';
  }

  @MessagePattern('unsealed')
  @AllowFrom({ from: gateway, mls: false })
  unsealed(): string {
    return 'unsealed';
  }

  @MessagePattern('by-function')
  @AllowFrom((_, context) => context.getMetadata()['ticket'] === 'valid')
  byFunction(): string {
    return 'by function';
  }

  @MessagePattern('by-promise')
  @AllowFrom(async ({ subject }) => subject.startsWith('acme/ops/'))
  byPromise(): string {
    return 'by promise';
  }

  @MessagePattern('truthy')
  @AllowFrom(() => 'yes' as unknown as boolean)
  truthy(): string {
    return 'truthy';
  }

  @MessagePattern('failing')
  @AllowFrom(() => {
    throw new TypeError('no claims');
  }, '*/*/*')
  failing(): string {
    return 'failing';
  }

  @MessagePattern('role')
  @AllowFrom(hasRole('cashier'))
  role(): string {
    return 'role';
  }

  @EventPattern('event')
  event(word: unknown): void {
    log.add(`event ${String(word)}`);
  }

  @Get('http')
  http(): string {
    return 'http';
  }
}

@Controller()
class OpenController {
  @MessagePattern('open')
  open(): string {
    return 'open';
  }
}

const controllers = [GuardedController, OpenController];

describe('AllowFrom', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const call = async (client: ClientProxy, operation: string): Promise<unknown> =>
    (await outcome(client.send(operation, 'data'))).failed?.with ?? 'passed';

  describe('with a shared secret', () => {
    beforeEach(() => fabric.serve({ controllers }));

    it('lets those pass whose verified name the rules of the class mean', async () => {
      const client = fabric.client({ name: gateway });
      expect(await firstValueFrom(client.send('by-class', ''))).toBe('by class');
    });

    it('refuses all others with an error that is typed and tells nothing of the rules', async () => {
      const client = fabric.client({ name: 'acme/spies/gateway' });
      const reason = await call(client, 'by-class');
      expect(reason).toMatchObject({ ...denied, name: 'SlimException', details: undefined });
    });

    it('has rules of a method instead of those of its class', async () => {
      expect(await call(fabric.client({ name: gateway }), 'by-method')).toMatchObject(denied);
      expect(await call(fabric.client({ name: 'acme/ops/backup' }), 'by-method')).toBe('passed');
    });

    it('believes the token, not the name on the frame', async () => {
      const client = fabric.client({
        name: gateway,
        identity: sharedSecret({ secret, id: 'acme/spies/gateway' }),
      });
      expect(await call(client, 'by-class')).toMatchObject(denied);
      const alias = fabric.client({
        name: 'acme/anything/else',
        identity: sharedSecret({ secret, id: gateway }),
      });
      expect(await call(alias, 'by-class')).toBe('passed');
    });

    it('does not trust a session without MLS unless the rule says so', async () => {
      const client = fabric.client({ name: gateway, mls: false });
      expect(await call(client, 'by-class')).toMatchObject(denied);
      expect(await call(client, 'by-promise')).toMatchObject(denied);
      expect(await call(client, 'unsealed')).toBe('passed');
      expect(await call(client, 'open')).toBe('passed');
    });

    it('asks functions, which may look at the message and take their time', async () => {
      const audit = fabric.client({ name: 'acme/ops/audit' });
      expect(await call(audit, 'by-promise')).toBe('passed');
      expect(await call(audit, 'by-function')).toMatchObject(denied);
      expect(await call(fabric.client({ name: gateway }), 'by-promise')).toMatchObject(denied);
    });

    it('takes nothing but true for a yes', async () => {
      expect(await call(fabric.client({ name: gateway }), 'truthy')).toMatchObject(denied);
    });

    it('lets nobody pass when a function fails', async () => {
      const reason = await call(fabric.client({ name: gateway }), 'failing');
      expect(reason).toMatchObject({ message: 'Internal server error' });
    });

    it('keeps events from handlers too', async () => {
      const spy = fabric.client({ name: 'acme/spies/gateway' });
      await firstValueFrom(spy.emit('event', 'heard'), { defaultValue: undefined });
      // Answered after the event was refused: messages of a session are taken in order.
      expect(await call(spy, 'open')).toBe('passed');
      expect(log.lines).toStrictEqual([]);
      const known = fabric.client({ name: gateway });
      await firstValueFrom(known.emit('event', 'heard'), { defaultValue: undefined });
      await log.has('event heard');
    });
  });

  it('hands functions the claims of the token', async () => {
    await fabric.serve({ controllers }, { identity: tellingRoles });
    expect(await call(fabric.client({ name: gateway }), 'role')).toBe('passed');
    expect(await call(fabric.client({ name: 'acme/ops/audit' }), 'role')).toMatchObject(denied);
  });

  describe('with JWT', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const options: Omit<JwtOptions, 'subject'> = {
      issuer: 'https://issuer.example',
      audience: 'acme',
      signingKey: {
        pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        algorithm: 'ES256',
      },
      verificationKey: {
        pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        algorithm: 'ES256',
      },
    };
    const as = (subject: string): IdentitySource => jwt({ ...options, subject });
    beforeEach(() => fabric.serve({ controllers }, { identity: as('billing-1') }));

    it.each([
      [gateway, 'passed'],
      ['acme/shop/anything', 'passed'],
      ['gateway-1', denied],
      ['acme/spies/gateway', denied],
      // Not a name and a random end: whoever signed it says that this is the subject.
      ['acme/shop/gateway/1', denied],
    ])('takes the subject as the issuer wrote it: %s', async (subject, expected) => {
      const client = fabric.client({ name: gateway, identity: as(subject) });
      const answer = await call(client, 'by-class');
      if (typeof expected === 'string') expect(answer).toBe(expected);
      else expect(answer).toMatchObject(expected);
    });

    it('does not take the end of a subject for a random one', async () => {
      const identity = as('acme/ops/audit_a1B2c3D4');
      expect(await call(fabric.client({ identity }), 'by-method')).toMatchObject(denied);
      expect(await call(fabric.client({ identity: as('acme/ops/audit') }), 'by-method')).toBe(
        'passed',
      );
    });
  });

  it.each<[string, readonly unknown[], string, string]>([
    ['no rule', [], 'invalid-config', 'at least one rule'],
    ['no name and no function', [7], 'invalid-config', 'number'],
    ['nothing where a rule should be', [undefined], 'invalid-config', 'undefined'],
    ['an object of another kind', [{ from: gateway }], 'invalid-config', 'mls: false'],
    ['a bad pattern', [gateway, 'acme/shop'], 'invalid-name', '"acme/shop"'],
    ['a bad pattern in an object', [{ from: 'a/b/c*', mls: false }], 'invalid-name', '"a/b/c*"'],
  ])('is refused with %s when the class is defined', (_, rules, code, text) => {
    const decorate = (): unknown => AllowFrom(...(rules as AllowFromRule[]));
    expect(decorate).toThrow(expect.objectContaining({ name: 'SlimError', code }));
    expect(decorate).toThrow(text);
  });
});

const room = 'acme/ops/room';

@SlimChannel({ name: room })
@AllowFrom(gateway)
class Room {
  @ChannelMessage()
  said(text: string): void {
    log.add(`said ${text}`);
  }

  @ChannelMessage()
  @AllowFrom('*/*/*')
  overheard(text: string): void {
    log.add(`overheard ${text}`);
  }

  @ParticipantJoined()
  joined(): void {
    log.add('joined');
  }
}

describe('AllowFrom on a channel class', () => {
  it('judges each message by its own sender, and who joins by nothing', async () => {
    log.clear();
    const fabric = await Fabric.start();
    const moderator = await fabric.peer(gateway);
    const channel = await moderator.createChannel(room);
    await fabric.serve({ providers: [Room] });
    await channel.invite(billing);
    const guest = await fabric.peer('acme/spies/guest');
    await channel.invite('acme/spies/guest');
    await log.has('joined');
    for await (const session of guest.sessions()) {
      if (session.kind !== 'channel') continue;
      await session.publish(new TextEncoder().encode('"by a guest"'), {
        payloadType: 'application/json',
      });
      break;
    }
    await channel.publish(new TextEncoder().encode('"by the gateway"'), {
      payloadType: 'application/json',
    });
    await log.has('overheard by a guest', 'said by the gateway', 'overheard by the gateway');
    expect(log.lines).not.toContain('said by a guest');
    await fabric.end();
  });
});

describe('AllowFrom in a hybrid application', () => {
  let fabric: Fabric;
  let app: INestApplication;
  let tcp: ClientProxy;
  let url: string;

  const start = async (...guards: AllowFromGuard[]): Promise<void> => {
    fabric = await Fabric.start();
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(billing))],
      controllers,
    }).compile();
    app = module.createNestApplication({ logger: false });
    app.useGlobalGuards(...guards);
    app.connectMicroservice(slimMicroservice(), { inheritAppConfig: true });
    const listener = app.connectMicroservice(
      { transport: Transport.TCP, options: { port: 0, host: '127.0.0.1' } },
      { inheritAppConfig: true },
    );
    await app.startAllMicroservices();
    const { port } = listener.unwrap<Server>().address() as AddressInfo;
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    tcp = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { port, host: '127.0.0.1' },
    });
  };
  afterEach(async () => {
    await tcp.close();
    await app.close();
    await fabric.end();
  });

  const get = async (path: string): Promise<string> => (await fetch(`${url}/${path}`)).text();
  const call = async (client: ClientProxy, operation: string): Promise<unknown> =>
    (await outcome(client.send(operation, 'data'))).failed?.with ?? 'passed';

  it('lets HTTP requests pass, and refuses messages of transports that verify nobody', async () => {
    await start();
    expect(await get('http')).toBe('http');
    expect(await call(tcp, 'by-class')).toMatchObject({ code: 'permission-denied' });
    expect(await call(tcp, 'unsealed')).toMatchObject({ code: 'permission-denied' });
    expect(await call(tcp, 'open')).toBe('passed');
    expect(await call(fabric.client({ name: gateway }), 'by-class')).toBe('passed');
  });

  it('as a global guard is for the SLIM messages that have no rules of their own', async () => {
    await start(AllowFromGuard.forAll('acme/ops/*'));
    expect(await get('http')).toBe('http');
    expect(await call(tcp, 'open')).toBe('passed');
    const shop = fabric.client({ name: gateway });
    const ops = fabric.client({ name: 'acme/ops/audit' });
    expect(await call(shop, 'open')).toMatchObject({ code: 'permission-denied' });
    expect(await call(ops, 'open')).toBe('passed');
    expect(await call(shop, 'by-class')).toBe('passed');
    expect(await call(ops, 'by-class')).toMatchObject({ code: 'permission-denied' });
  });
});
