import type { INestMicroservice, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Clock } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import type { SlimClient, SlimClientOptions } from '../slim-client.js';
import { slimMicroservice } from '../slim-microservice.js';
import type { SlimOptions } from '../slim-options.js';
import { SlimModule } from '../slim.module.js';
import { SlimFabric } from './slim-fabric.js';

/** What the applications of specs share. */
export const secret = 'a secret that only the tests of this package share';

/** The service that specs serve unless they say otherwise. */
export const billing = 'acme/billing/invoices';

/** A network in memory, with what the specs of this package do again and again. */
export class Fabric {
  readonly network: SlimFabric;

  private constructor(network: SlimFabric) {
    this.network = network;
  }

  static async start(clock?: Clock): Promise<Fabric> {
    return new Fabric(await SlimFabric.start({ secret, ...(clock && { clock }) }));
  }

  options(name: string, extra: Partial<SlimOptions> = {}): SlimOptions {
    return this.network.options(name, extra);
  }

  /** A listening microservice with those controllers. */
  async serve(
    metadata: Pick<ModuleMetadata, 'controllers' | 'providers' | 'imports'>,
    extra: Partial<SlimOptions> = {},
    logger: LoggerService | false = false,
  ): Promise<INestMicroservice> {
    const imports = [SlimModule.forRoot(this.options(billing, extra)), ...(metadata.imports ?? [])];
    const module = await Test.createTestingModule({ ...metadata, imports }).compile();
    const app = module.createNestMicroservice({ ...slimMicroservice(), logger });
    this.endWith(() => app.close());
    await app.listen();
    return app;
  }

  /** A client with a connection of its own. */
  client(extra: Partial<SlimClientOptions> = {}): SlimClient {
    return this.network.client(billing, { name: 'acme/tests/client', ...extra });
  }

  /** An application that knows nothing of Nest. */
  peer(name = 'acme/tests/peer'): Promise<SlimApp> {
    return this.network.app(name);
  }

  endWith(end: () => Promise<void>): void {
    this.network.closing(end);
  }

  /** Ends what was started, last first. On a manual clock no timer may be left. */
  end(): Promise<void> {
    return this.network.close();
  }
}
