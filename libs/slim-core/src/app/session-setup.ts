import { SlimError } from '../errors/slim-error.js';
import { nullId } from '../names/name-id.js';
import type { SessionPolicy } from '../session/session-policy.js';
import type { JoinRequest } from '../wire/command-payload.js';
import type { WireName } from '../wire/wire-name.js';
import type { Direction } from './session-options.js';

/** The two names of a channel: of one name, with two ids (reference: sessions 2.3). */
export function channelOf({ channel, control }: JoinRequest): {
  readonly channel: WireName;
  readonly control: WireName;
} {
  const isPair =
    channel?.hasText &&
    control?.hasText &&
    channel.prefix === control.prefix &&
    channel.id !== control.id &&
    channel.id !== nullId &&
    control.id !== nullId;
  if (!isPair) throw new SlimError('malformed-frame', 'an invitation names no proper channel');
  return { channel, control };
}

/** What a direction means for a member of a channel. */
export const settingsOf = (direction: Direction) => ({
  sendsData: direction === 'both' || direction === 'send',
  receivesData: direction === 'both' || direction === 'receive',
});

/** The policy of an application with the timers of one session, as far as it has its own. */
export function withTimers(
  policy: SessionPolicy,
  intervalMs: number | undefined,
  maxRetries: number | undefined,
): SessionPolicy {
  return {
    ...policy,
    intervalMs: intervalMs ?? policy.intervalMs,
    maxRetries: maxRetries ?? policy.maxRetries,
  };
}

/** The other side chooses the interval of a session, but not one that keeps this side busy. */
const minIntervalMs = 10;
/** Nor one that makes it hold for years what will never be followed up. */
const maxIntervalMs = 60_000;
const maxPatienceMs = 600_000;

/** The policy of an application with the timers of one who invites it, within our bounds. */
export function invitedTimers(policy: SessionPolicy, timers: JoinRequest['timers']): SessionPolicy {
  if (!timers) return policy;
  const intervalMs = Math.min(Math.max(timers.timeoutMs, minIntervalMs), maxIntervalMs);
  const mostRetries = Math.floor(maxPatienceMs / intervalMs) - 1;
  return { ...policy, intervalMs, maxRetries: Math.min(timers.maxRetries, mostRetries) };
}
