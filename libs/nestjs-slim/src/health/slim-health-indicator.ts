import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { SlimError, SlimName } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { firstValueFrom } from 'rxjs';
import { SlimConnection } from '../slim-connection.js';
import { duration } from '../slim-options.js';
import { timeLimit } from '../time-limit.js';

/** What is looked at beside the link to the node. */
export interface SlimHealthOptions {
  /** A name that somebody has to answer to. They are looked for; no session is opened. */
  readonly reachable?: SlimName | string;
  /** How long a check may take; the module's `discoveryMs` unless given. */
  readonly timeoutMs?: number;
}

/** For Terminus: whether the application's own connection is up. No check makes a client of its own. */
@Injectable()
export class SlimHealthIndicator implements BeforeApplicationShutdown {
  private lostFor: SlimError | undefined;
  private isClosing = false;

  constructor(
    private readonly connection: SlimConnection,
    private readonly health: HealthIndicatorService,
  ) {
    connection.on('status', (_, reason) => (this.lostFor = reason));
  }

  /** Called by Nest. From here on a check must not connect again. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
  }

  /**
   * Up when connected, and when somebody answers to the name that is to be reachable; otherwise down with
   * the code of the reason. Connects when nothing else has yet: a service that waits for its first call
   * would never be found ready.
   * @throws SlimError `invalid-name`, `invalid-config`
   */
  async isHealthy<const Key extends string>(
    key: Key,
    { reachable, timeoutMs }: SlimHealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const check = this.health.check(key);
    const { discoveryMs } = this.connection.settings;
    const limitMs = duration('timeoutMs', timeoutMs, discoveryMs);
    const target = reachable === undefined ? undefined : SlimName.from(reachable);
    try {
      const instance = await this.probe(target, limitMs);
      const found = instance ? { instance: instance.toString() } : {};
      return check.up({ connection: 'connected', ...found });
    } catch (reason) {
      const connection = await firstValueFrom(this.connection.status);
      const missing = target ? { reachable: target.toString() } : {};
      // The code and not the message, which may name hosts: health is often shown to anybody.
      const { code } = SlimError.from(reason, 'link-failed');
      return check.down({ connection, code, ...missing });
    }
  }

  private async probe(
    target: SlimName | undefined,
    limitMs: number,
  ): Promise<SlimName | undefined> {
    const { clock } = this.connection.settings;
    const startedMs = clock.now();
    const app = await this.connected(limitMs);
    if (!target) return undefined;
    const discoveryMs = Math.max(0, limitMs - (clock.now() - startedMs));
    return app.discover(target, { discoveryMs });
  }

  private async connected(limitMs: number): Promise<SlimApp> {
    const status = await firstValueFrom(this.connection.status);
    if (status === 'connected') return this.connection.app;
    if (status === 'disconnected' && !this.isClosing) return this.connectWithin(limitMs);
    throw this.lostFor ?? new SlimError('link-closed', `the connection is ${status}`);
  }

  private connectWithin(limitMs: number): Promise<SlimApp> {
    const { connection } = this;
    return new Promise((resolve, reject) => {
      const cancel = timeLimit(connection.settings.clock, limitMs, () =>
        reject(new SlimError('timeout', `not connected within ${limitMs} ms`)),
      );
      void connection.connect().then(resolve, reject).finally(cancel);
    });
  }
}
