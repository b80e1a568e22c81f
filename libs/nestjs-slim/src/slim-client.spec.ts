import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import {
  ClientProxyFactory,
  MessagePattern,
  Payload,
  Ctx,
  type ClientProxy,
} from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import type { SlimContext } from './slim-context.js';
import { SlimClient } from './slim-client.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome, Signal } from './testing/spec-outcome.js';

let started = new Signal();
let finish = new Signal();

@Controller()
class WhoController {
  @MessagePattern('who')
  who(@Payload() _: unknown, @Ctx() context: SlimContext): unknown {
    return { instance: String(context.getName()), session: context.getSession().id };
  }

  @MessagePattern('wait')
  async wait(): Promise<string> {
    started.fire();
    await finish.fired;
    return 'done';
  }
}

interface Who {
  readonly instance: string;
  readonly session: number;
}

describe('a client', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    started = new Signal();
    finish = new Signal();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const who = (client: ClientProxy, pattern = 'who'): Promise<Who> =>
    firstValueFrom(client.send<Who>(pattern, {}));

  it('opens one session for all calls to a name, however many begin at once', async () => {
    await fabric.serve({ controllers: [WhoController] });
    await fabric.serve({ controllers: [WhoController] });
    const client = fabric.client();
    const answers = await Promise.all(Array.from({ length: 5 }, () => who(client)));
    const sessions = new Set([...answers, await who(client)].map(({ session }) => session));
    expect(sessions.size).toBe(1);
  });

  it('opens another session when the one before ended', async () => {
    const first = await fabric.serve({ controllers: [WhoController] });
    const client = fabric.client();
    const before = await who(client);
    await first.close();
    await fabric.serve({ controllers: [WhoController] });
    const after = await who(client);
    expect(after.instance).not.toBe(before.instance);
  });

  it('fails what waits for an answer when the session ends, with the reason', async () => {
    const service = await fabric.serve({ controllers: [WhoController] }, { drainMs: 0 });
    const client = fabric.client();
    const answer = outcome(client.send('wait', {}));
    await started.fired;
    await service.close();
    const { failed } = await answer;
    expect(failed?.with).toMatchObject({ name: 'SlimError', code: 'session-closed' });
  });

  it('fails what waits for an answer when it is closed, and connects again for the next', async () => {
    await fabric.serve({ controllers: [WhoController] });
    const client = fabric.client();
    const answer = outcome(client.send('wait', {}));
    await started.fired;
    // As ClientsModule calls it, with the name of a signal.
    await (client as { close(signal: string): Promise<void> }).close('SIGTERM');
    await client.close();
    expect((await answer).failed?.with).toMatchObject({ code: 'session-closed' });
    expect(() => client.unwrap()).toThrow(expect.objectContaining({ code: 'link-closed' }));
    expect(await who(client)).toMatchObject({ instance: expect.stringContaining(billing) });
  });

  it('closed while it opens a session fails that call and leaves nothing behind', async () => {
    await fabric.serve({ controllers: [WhoController] });
    const client = fabric.client();
    await client.connect();
    const answer = outcome(client.send('who', {}));
    await Promise.resolve();
    await client.close();
    expect((await answer).failed?.with).toMatchObject({
      name: 'SlimError',
      code: expect.stringMatching(/^(aborted|link-closed|session-closed)$/),
    });
  });

  it('without a target takes full patterns only', async () => {
    await fabric.serve({ controllers: [WhoController] });
    const client = new SlimClient(fabric.options('acme/tests/free'));
    fabric.endWith(() => client.close());
    expect(await who(client, `${billing}#who`)).toMatchObject({
      instance: expect.stringContaining(billing),
    });
    const { failed } = await outcome(client.send('who', {}));
    expect(failed?.with).toMatchObject({ code: 'invalid-name' });
  });

  it('surfaces a failure to connect to the subscriber, and tries again for the next', async () => {
    await fabric.serve({ controllers: [WhoController] });
    const client = fabric.client();
    fabric.network.goDown();
    const { failed } = await outcome(client.send('who', {}));
    expect(failed?.with).toMatchObject({ name: 'SlimError', code: 'link-failed' });
    fabric.network.goUp();
    expect(await who(client)).toMatchObject({ instance: expect.stringContaining(billing) });
  });

  it('is a client class as Nest takes it', async () => {
    await fabric.serve({ controllers: [WhoController] });
    const options = { ...fabric.options('acme/tests/custom'), target: billing };
    const client = ClientProxyFactory.create({ customClass: SlimClient, options });
    fabric.endWith(async () => client.close());
    expect(await who(client)).toMatchObject({ instance: expect.stringContaining(billing) });
    expect(client.unwrap<{ status: string }>().status).toBe('connected');
    expect(await firstValueFrom(client.status)).toBe('connected');
  });
});
