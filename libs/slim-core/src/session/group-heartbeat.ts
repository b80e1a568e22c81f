import type { Cancel, Clock } from '../clock/clock.js';
import type { Member } from './roster.js';
import type { SessionPolicy } from './session-policy.js';

/** What a heartbeat asks and tells its channel. */
export interface GroupHeartbeatEvents {
  isConnected(): boolean;
  /** False while there is nobody to tell, or this side is offline. */
  isActive(): boolean;
  others(): Iterable<Member>;
  /** A member has not been heard for so many intervals. */
  silent(member: Member): void;
  beat(): void;
}

/** Tells a channel that this side lives, and notices members that fell silent (reference: sessions 9). */
export class GroupHeartbeat {
  readonly #clock: Clock;
  readonly #policy: SessionPolicy;
  readonly #events: GroupHeartbeatEvents;
  #cancel: Cancel;
  #spoke = false;

  constructor(clock: Clock, policy: SessionPolicy, events: GroupHeartbeatEvents) {
    this.#clock = clock;
    this.#policy = policy;
    this.#events = events;
    this.#cancel = this.#arm();
  }

  spoke(): void {
    this.#spoke = true;
  }

  close(): void {
    this.#cancel();
  }

  #arm(): Cancel {
    return this.#clock.schedule(this.#policy.heartbeatMs, () => {
      this.#cancel = this.#arm();
      if (this.#events.isActive()) this.#tick();
    });
  }

  #tick(): void {
    for (const member of this.#events.others()) {
      // Without a link of our own, silence says nothing about the others.
      member.silentIntervals = this.#events.isConnected() ? member.silentIntervals + 1 : 0;
      if (member.silentIntervals >= this.#policy.maxSilentIntervals) this.#events.silent(member);
    }
    if (!this.#spoke) this.#events.beat();
    this.#spoke = false;
  }
}
