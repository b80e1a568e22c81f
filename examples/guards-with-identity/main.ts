// Who may call what, by verified identity: names with @AllowFrom, and claims with a rule of one's own.
// npm run example -- guards-with-identity
import { Controller, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { AllowFrom, SlimClient, SlimException, SlimModule, SlimNode, jwt } from 'nestjs-slim';
import { slimMicroservice, type AllowFromPredicate, type SlimOptions } from 'nestjs-slim';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
Logger.overrideLogger(['error', 'warn']);

/** In life each application has its own private key, and all of them the public ones of all. */
const names = ['acme/billing/refunds', 'acme/billing/desk', 'acme/shop/till'] as const;
const keys = new Map(
  names.map((name) => [name, generateKeyPairSync('ec', { namedCurve: 'P-256' })]),
);
const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid });
const jwks = { keys: [...keys].map(([name, { publicKey }]) => jwkOf(publicKey, name)) };

function optionsOf(name: (typeof names)[number], audience: string[]): SlimOptions {
  const { privateKey } = keys.get(name) ?? {};
  if (!privateKey) throw new Error(`no key of ${name}`);
  const signingKey = { jwk: jwkOf(privateKey, name) };
  return {
    name,
    node,
    identity: jwt({ subject: name, audience, signingKey, verificationKey: { jwks } }),
  };
}

/** A rule of one's own: any claim of the token may decide. Claims are what was parsed: check them. */
const meantFor =
  (audience: string): AllowFromPredicate =>
  ({ claims }) =>
    Array.isArray(claims['aud']) && claims['aud'].includes(audience);

@Controller()
@AllowFrom('acme/*/*')
class RefundsController {
  @MessagePattern('ask')
  ask(@Payload() invoice: number): string {
    return `refund of invoice ${invoice} is asked for`;
  }

  @MessagePattern('grant')
  @AllowFrom('acme/billing/*')
  grant(@Payload() invoice: number): string {
    return `refund of invoice ${invoice} is granted`;
  }

  @MessagePattern('pay')
  @AllowFrom(meantFor('treasury'))
  pay(@Payload() invoice: number): string {
    return `refund of invoice ${invoice} is paid`;
  }
}

const options = optionsOf('acme/billing/refunds', ['acme', 'treasury']);
@Module({ imports: [SlimModule.forRoot(options)], controllers: [RefundsController] })
class RefundsModule {}

const service = await NestFactory.createMicroservice(RefundsModule, slimMicroservice());
await service.listen();

const target = 'acme/billing/refunds';
const callers = [
  new SlimClient({ ...optionsOf('acme/shop/till', ['acme']), target }),
  new SlimClient({ ...optionsOf('acme/billing/desk', ['acme', 'treasury']), target }),
];
for (const client of callers) {
  console.log((await client.connect()).name.service);
  for (const operation of ['ask', 'grant', 'pay']) {
    const answer = client.request(operation, 7);
    const code = (error: SlimException): string => error.code;
    console.log(`  ${operation}: ${String(await answer.catch(code))}`);
  }
  await client.close();
}
await service.close();
