import { SlimError, type Clock, type SlimName } from '@nestjs-slim/core';
import type { ClientSession } from './client-session.js';

/** What a share asks of its client. */
export interface InstanceShareOptions {
  readonly clock: Clock;
  /** With how many instances at most. */
  readonly spread: number;
  /** How long to go on before looking for new instances. */
  readonly rediscoverMs: number;
  /** One instance, found fast. */
  discover(): Promise<SlimName>;
  /** Every instance, as they answer. */
  instances(): AsyncIterable<SlimName>;
  /** The session with an instance, which is opened unless there is one. */
  open(instance: SlimName): Promise<ClientSession>;
  dropped(reason: SlimError): void;
}

interface Instance {
  readonly name: SlimName;
  session: ClientSession | undefined;
}

/** Shares the calls to a name among some of its instances: the least busy is next. */
export class InstanceShare {
  private readonly options: InstanceShareOptions;
  private readonly instances = new Map<string, Instance>();
  private searchedMs = -Infinity;
  private isSearching = false;
  private turn = 0;

  constructor(options: InstanceShareOptions) {
    this.options = options;
  }

  /**
   * The session for the next call. Looks for instances on the side, when that is due.
   * @throws SlimError as `SlimApp.openSession`, when no instance can be reached
   */
  async next(): Promise<ClientSession> {
    if (this.instances.size === 0) this.know(await this.options.discover());
    this.searchWhenDue();
    for (;;) {
      const instance = this.leastBusy();
      if (!instance) throw new SlimError('no-route', 'no instance can be reached');
      try {
        instance.session = await this.options.open(instance.name);
        return instance.session;
      } catch (reason) {
        this.instances.delete(String(instance.name));
        if (this.instances.size === 0) throw reason;
      }
    }
  }

  /** Of those that are equally busy, each in turn. */
  private leastBusy(): Instance | undefined {
    const all = [...this.instances.values()];
    this.turn = (this.turn + 1) % Math.max(1, all.length);
    const inTurn = [...all.slice(this.turn), ...all.slice(0, this.turn)];
    return inTurn.reduce<Instance | undefined>(
      (best, other) => (best && pending(best) <= pending(other) ? best : other),
      undefined,
    );
  }

  private searchWhenDue(): void {
    const { clock, rediscoverMs } = this.options;
    if (this.isSearching || clock.now() - this.searchedMs < rediscoverMs) return;
    this.isSearching = true;
    this.search()
      .catch((reason: unknown) => this.options.dropped(SlimError.from(reason, 'no-route')))
      .finally(() => {
        this.isSearching = false;
        this.searchedMs = clock.now();
      })
      // Neither of the two above fails.
      .catch(() => undefined);
  }

  private async search(): Promise<void> {
    const found = new Set<string>();
    for await (const name of this.options.instances()) {
      found.add(String(name));
      this.know(name);
    }
    for (const name of this.instances.keys()) if (!found.has(name)) this.instances.delete(name);
  }

  private know(name: SlimName): void {
    const key = String(name);
    if (this.instances.has(key) || this.instances.size >= this.options.spread) return;
    this.instances.set(key, { name, session: undefined });
  }
}

function pending({ session }: Instance): number {
  return session?.pending ?? 0;
}
