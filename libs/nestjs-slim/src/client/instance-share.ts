import { SlimError, type Clock, type SlimName } from '@nestjs-slim/core';

/** A session, as far as sharing goes. */
export interface Busy {
  /** Calls that wait for their answer. */
  readonly pending: number;
}

/** What a share asks of its client. */
export interface InstanceShareOptions<Session extends Busy> {
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
  open(instance: SlimName): Promise<Session>;
  dropped(reason: SlimError): void;
}

interface Instance {
  readonly name: SlimName;
  session: Busy | undefined;
}

/** Shares the calls to a name among some of its instances: the least busy is next. */
export class InstanceShare<Session extends Busy> {
  private readonly options: InstanceShareOptions<Session>;
  private readonly instances = new Map<string, Instance>();
  private searchedMs = -Infinity;
  private isSearching = false;
  private turn = 0;

  constructor(options: InstanceShareOptions<Session>) {
    this.options = options;
  }

  /**
   * The session for the next call. Looks for instances on the side, when that is due.
   * @throws SlimError as `SlimApp.openSession`, when no instance can be reached
   */
  async next(): Promise<Session> {
    if (this.instances.size === 0) this.know(await this.options.discover());
    this.searchWhenDue();
    for (;;) {
      const instance = this.leastBusy();
      if (!instance) throw new SlimError('no-route', 'no instance can be reached');
      try {
        const session = await this.options.open(instance.name);
        instance.session = session;
        return session;
      } catch (reason) {
        this.instances.delete(String(instance.name));
        if (this.instances.size === 0) throw reason;
      }
    }
  }

  /** An instance is lost: it gets no calls until a search finds it, and the next call begins one. */
  forget(name: SlimName): void {
    if (this.instances.delete(String(name))) this.searchedMs = -Infinity;
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
    this.searchedMs = clock.now();
    this.search()
      .catch((reason: unknown) => this.failed(SlimError.from(reason, 'no-route')))
      .finally(() => (this.isSearching = false))
      // Neither of the two above fails.
      .catch(() => undefined);
  }

  private async search(): Promise<void> {
    const found = new Map<string, SlimName>();
    for await (const name of this.options.instances()) {
      found.set(String(name), name);
      this.know(name);
    }
    for (const name of this.instances.keys()) if (!found.has(name)) this.instances.delete(name);
    // Those that are gone may have taken the place of others while the search went on.
    for (const name of found.values()) this.know(name);
  }

  private know(name: SlimName): void {
    const key = String(name);
    if (this.instances.has(key) || this.instances.size >= this.options.spread) return;
    this.instances.set(key, { name, session: undefined });
  }

  /** A search that the end of the client cut short is no failure. */
  private failed(reason: SlimError): void {
    if (reason.code !== 'aborted') this.options.dropped(reason);
  }
}

function pending({ session }: Instance): number {
  return session?.pending ?? 0;
}
