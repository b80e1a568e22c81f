import {
  SlimError,
  SlimName,
  type Channel,
  type ChannelParticipant,
  type Clock,
  type InvitationResult,
} from '@nestjs-slim/core';
import { pause } from '../pause.js';

/** What a list of guests is made from. */
export interface GuestListOptions {
  readonly channel: Channel;
  readonly names: readonly SlimName[];
  readonly clock: Clock;
  readonly retryMs: number;
  /** Ends the invitations. */
  readonly signal: AbortSignal;
  /** `isNews` is false when the same guest could not come for the same reason last time. */
  failed(name: SlimName, reason: SlimError, isNews: boolean): void;
}

/**
 * Brings everybody on a list into a channel, however long it takes, and back when they left by themselves
 * or fell silent: a service that restarts is another instance, which has to be invited anew.
 */
export class GuestList {
  private readonly options: GuestListOptions;
  private readonly dismissed = new Set<string>();
  private readonly lastFailure = new Map<string, string>();
  private rounds: Promise<void> | undefined;

  constructor(options: GuestListOptions) {
    this.options = options;
    const { channel } = options;
    const stop = [
      channel.on('left', () => this.begin(options.retryMs)),
      channel.on('presence', () => this.begin(options.retryMs)),
    ];
    void channel.ended.then(() => stop.forEach((off) => off()));
    this.begin(0);
  }

  /** Does not want somebody any more. */
  dismiss(name: SlimName | string): void {
    this.dismissed.add(SlimName.from(name).service);
  }

  /** Wants somebody again, who was dismissed. */
  readmit(name: SlimName | string): void {
    this.dismissed.delete(SlimName.from(name).service);
    this.begin(this.options.retryMs);
  }

  private begin(delayMs: number): void {
    if (this.rounds || this.options.signal.aborted || this.missing().length === 0) return;
    this.rounds = this.run(delayMs).finally(() => {
      this.rounds = undefined;
      // Somebody may have left since the last look.
      this.begin(this.options.retryMs);
    });
  }

  private async run(firstDelayMs: number): Promise<void> {
    const { clock, retryMs, signal } = this.options;
    let delayMs = firstDelayMs;
    do {
      if (delayMs > 0) await pause(clock, delayMs, signal);
      delayMs = retryMs;
      if (signal.aborted) return;
      await this.invite(this.missing());
    } while (!signal.aborted && this.missing().length > 0);
  }

  /** All at once: those who answer need not wait for those who do not, and the keys change once. */
  private async invite(names: readonly SlimName[]): Promise<void> {
    const { channel, signal } = this.options;
    await Promise.all(names.map((name) => this.removeSilent(name)));
    const results: readonly InvitationResult[] = await channel
      .inviteAll(names)
      .catch((reason: unknown) => {
        const error = SlimError.from(reason, 'timeout');
        return names.map((name) => ({ name, error }));
      });
    for (const { name, error } of results) {
      const key = name.service;
      if (!error) this.lastFailure.delete(key);
      else if (error.code !== 'already-a-member' && !signal.aborted) {
        this.options.failed(name, error, this.lastFailure.get(key) !== error.code);
        this.lastFailure.set(key, error.code);
      }
    }
  }

  /** A member that is not heard any more would keep the place of the instance that replaces it. */
  private async removeSilent(wanted: SlimName): Promise<void> {
    const { channel } = this.options;
    for (const { name, online } of channel.participants()) {
      if (online || name.service !== wanted.service) continue;
      // It left meanwhile, or the channel is over: either way it is out.
      await channel.remove(name).catch(() => undefined);
    }
  }

  private missing(): readonly SlimName[] {
    const present = this.options.channel.participants().filter(({ online }) => online);
    return this.options.names.filter(
      ({ service }) => !this.dismissed.has(service) && !present.some(isOf(service)),
    );
  }
}

function isOf(service: string): (participant: ChannelParticipant) => boolean {
  return ({ name }) => name.service === service;
}
