import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject } from '@nestjs/common';
import {
  Client,
  ClientsModule,
  Ctx,
  MessagePattern,
  Payload,
  type ClientOptions,
  type ClientProxy,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { msgpack } from './codecs/msgpack.js';
import { SlimClient, type SlimClientOptions } from './slim-client.js';
import type { SlimContext } from './slim-context.js';
import { slimMicroservice } from './slim-microservice.js';
import { SlimModule } from './slim.module.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';

@Controller()
class EchoController {
  @MessagePattern('v2.echo')
  echo(@Payload() data: unknown, @Ctx() context: SlimContext): unknown {
    return { data, at: String(context.getName()), mls: context.getSession().mls };
  }
}

interface Echo {
  readonly data: unknown;
  readonly at: string;
  readonly mls: boolean;
}

describe('a client of this transport', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [EchoController] }, { codec: msgpack() });
    await fabric.serve({ controllers: [EchoController] }, { codec: msgpack() });
  });
  afterEach(() => fabric.end());

  const options = (): SlimClientOptions => ({
    ...fabric.options('acme/tests/wired'),
    target: '${TARGET}',
    resolvePlaceholder: (key) => ({ TARGET: billing, VERSION: 'v2' })[key],
    codec: msgpack(),
    mls: false,
    spread: 2,
  });

  /** Asks with all that options are about, until there was an answer from both instances. */
  const reached = async (client: ClientProxy): Promise<number> => {
    const at = new Set<string>();
    const data = { big: 2n ** 60n };
    while (at.size < 2) {
      const { values, failed } = await outcome(client.send('${VERSION}.echo', data));
      expect(failed).toBeUndefined();
      const [echo] = values as Echo[];
      expect(echo).toMatchObject({ data, mls: false });
      at.add(echo?.at ?? '');
      // Links in memory let no timer have its turn, that of the test's time limit neither.
      await setImmediate();
    }
    return at.size;
  };

  it('has its options in ClientsModule.register', async () => {
    const module = await Test.createTestingModule({
      imports: [
        ClientsModule.register([{ name: 'WIRED', customClass: SlimClient, options: options() }]),
      ],
    }).compile();
    fabric.endWith(() => module.close());
    expect(await reached(module.get('WIRED'))).toBe(2);
  });

  it('has its options in ClientsModule.registerAsync', async () => {
    const module = await Test.createTestingModule({
      imports: [
        ClientsModule.registerAsync([
          {
            name: 'WIRED',
            useFactory: async () => ({ customClass: SlimClient, options: options() }),
          },
        ]),
      ],
    }).compile();
    fabric.endWith(() => module.close());
    expect(await reached(module.get('WIRED'))).toBe(2);
  });

  it('has its options at @Client', async () => {
    @Controller()
    class CallingController {
      // Takes a class, which its type does not say.
      @Client({ customClass: SlimClient, options: options() } as ClientOptions)
      readonly client: ClientProxy | undefined;
    }
    const app = await fabric.serve(
      { controllers: [CallingController] },
      { name: 'acme/tests/caller' },
    );
    const { client } = app.get(CallingController);
    expect(client).toBeInstanceOf(SlimClient);
    if (!client) return;
    fabric.endWith(async () => client.close());
    expect(await reached(client)).toBe(2);
  });

  it('has the options of the module by forFeature', async () => {
    @Controller()
    class CallingController {
      constructor(@Inject('WIRED') readonly client: ClientProxy) {}
    }
    const { target: _, ...shared } = options();
    const module = await Test.createTestingModule({
      imports: [
        SlimModule.forRoot(shared),
        SlimModule.forFeature([{ name: 'WIRED', target: '${TARGET}' }]),
      ],
      controllers: [CallingController],
    }).compile();
    const app = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    fabric.endWith(() => app.close());
    await app.listen();
    expect(await reached(app.get(CallingController).client)).toBe(2);
  });

  it('is refused with a target that nothing resolves', () => {
    const made = (): SlimClient => new SlimClient({ ...options(), target: '${NOWHERE}' });
    expect(made).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: expect.stringContaining('${NOWHERE}'),
      }),
    );
  });
});
