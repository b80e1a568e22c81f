import type { INestMicroservice, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  SlimClient,
  SlimModule,
  sharedSecret,
  slimMicroservice,
  type SlimClientOptions,
  type SlimOptions,
} from 'nestjs-slim';
import { SlimApp } from '@nestjs-slim/platform-node';
import type { Network } from './networks.js';
import { Wire } from './wire.js';

const identity = sharedSecret({ secret: 'a secret that only the acceptance tests share' });

type Parts = Pick<ModuleMetadata, 'controllers' | 'providers' | 'imports'>;

let stages = 0;

/** What one scenario is played on: a service name of its own, and whatever it starts, ended with it. */
export class Stage {
  /** Nobody else's: a node may take its time to forget those of the scenario before. */
  readonly service = `acme/stage-${++stages}/invoices`;
  readonly network: Network;
  readonly #endings: (() => Promise<unknown>)[] = [];

  constructor(network: Network) {
    this.network = network;
  }

  /** Beside the service, under the same organisation and namespace. */
  name(last: string): string {
    return this.service.replace('invoices', last);
  }

  options(name: string, extra: Partial<SlimOptions> = {}): SlimOptions {
    const backoff = { firstMs: 1, maxMs: 10 };
    return { name, identity, node: this.network.node, backoff, ...extra };
  }

  wire(): Wire {
    return new Wire(this.network.node);
  }

  /** A module with the service's connection, not yet listening. */
  compile(
    { imports = [], ...parts }: Parts,
    extra: Partial<SlimOptions> = {},
  ): Promise<TestingModule> {
    const slim = SlimModule.forRoot(this.options(this.service, extra));
    return Test.createTestingModule({ ...parts, imports: [slim, ...imports] }).compile();
  }

  /** A listening microservice with those controllers. */
  async serve(
    parts: Parts,
    extra: Partial<SlimOptions> = {},
    logger: LoggerService | false = false,
  ): Promise<INestMicroservice> {
    const module = await this.compile(parts, extra);
    const app = module.createNestMicroservice({ ...slimMicroservice(), logger });
    this.closing(() => app.close());
    await app.listen();
    return app;
  }

  /** A client of the service, with a connection of its own. */
  client(extra: Partial<SlimClientOptions> = {}): SlimClient {
    return this.closed(new SlimClient(this.clientOptions(extra)));
  }

  clientOptions(extra: Partial<SlimClientOptions> = {}): SlimClientOptions {
    return { ...this.options(this.name('client')), target: this.service, ...extra };
  }

  /** An application that knows nothing of Nest. */
  async peer(last = 'peer', extra: Partial<SlimOptions> = {}): Promise<SlimApp> {
    return this.closed(await SlimApp.connect(this.options(this.name(last), extra)));
  }

  closing(end: () => Promise<unknown>): void {
    this.#endings.push(end);
  }

  /** Has it closed at the end. */
  closed<Closable extends { close(): Promise<unknown> }>(it: Closable): Closable {
    this.closing(() => it.close());
    return it;
  }

  /** Ends what was started, last first. */
  async end(): Promise<void> {
    for (const end of this.#endings.toReversed()) await end();
  }
}
