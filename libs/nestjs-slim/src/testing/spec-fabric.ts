import type { INestMicroservice, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { sharedSecret, systemClock, type Clock } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { SlimClient } from '../slim-client.js';
import { slimMicroservice } from '../slim-microservice.js';
import type { SlimOptions } from '../slim-options.js';
import { SlimModule } from '../slim.module.js';

const secret = 'a secret that only the tests of this package share';

/** The service that specs serve unless they say otherwise. */
export const billing = 'acme/billing/invoices';

/** A node in this process and everything that a spec connects to it, ended together. */
export class Fabric {
  readonly node: SlimNode;
  readonly clock: Clock;
  private readonly endings: (() => Promise<void>)[] = [];

  private constructor(node: SlimNode, clock: Clock) {
    this.node = node;
    this.clock = clock;
  }

  static async start(clock: Clock = systemClock): Promise<Fabric> {
    return new Fabric(await SlimNode.start({ clock }), clock);
  }

  options(name: string, extra: Partial<SlimOptions> = {}): SlimOptions {
    const { node, clock } = this;
    return { name, identity: sharedSecret({ secret }), node, clock, ...extra };
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
  client(extra: Partial<SlimOptions> & { readonly target?: string } = {}): SlimClient {
    const client = new SlimClient({
      ...this.options('acme/tests/client'),
      target: billing,
      ...extra,
    });
    this.endWith(() => client.close());
    return client;
  }

  /** An application that knows nothing of Nest. */
  async peer(name = 'acme/tests/peer'): Promise<SlimApp> {
    const app = await SlimApp.connect(this.options(name));
    this.endWith(() => app.close());
    return app;
  }

  endWith(end: () => Promise<void>): void {
    this.endings.push(end);
  }

  /** Ends what was started, last first. On a manual clock no timer may be left. */
  async end(): Promise<void> {
    for (const end of this.endings.toReversed()) await end();
    await this.node.close();
    if (this.clock instanceof ManualClock && this.clock.pending > 0) {
      throw new Error(`${this.clock.pending} timers were left behind`);
    }
  }
}
