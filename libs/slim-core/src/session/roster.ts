import { SlimError } from '../errors/slim-error.js';
import { applicationId } from '../names/name-id.js';
import type { SlimName } from '../names/slim-name.js';
import { participantState, type Participant } from '../wire/command-payload.js';
import type { WireName } from '../wire/wire-name.js';
import type { ChannelParticipant } from './channel.js';

/** One member of a channel. */
export interface Member {
  readonly name: WireName;
  readonly sendsData: boolean;
  readonly receivesData: boolean;
  /** Subject of its tokens; bound by its first message where the roster came from the moderator. */
  subject: string | undefined;
  online: boolean;
  /** It said good-bye: whatever of it comes late, nobody waits for it. */
  isLeaving: boolean;
  /** It was invited, and has not said yet that it is in. */
  isJoining: boolean;
  silentIntervals: number;
  /** Epoch in which it came, as far as this side saw it; what is older is of an earlier membership. */
  sinceEpoch: bigint;
}

/** The members of a channel, known by the key of their full name. */
export class Roster {
  readonly #members = new Map<string, Member>();

  get size(): number {
    return this.#members.size;
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.values();
  }

  get(key: string): Member | undefined {
    return this.#members.get(key);
  }

  /** The member of that name; with an id that one instance, without one whichever is in, but `except`. */
  find(name: SlimName, except?: WireName): Member | undefined {
    for (const member of this) {
      if (except && member.name.equals(except)) continue;
      const known = member.name.slimName;
      if (known.service !== name.service) continue;
      if (!name.isInstance || name.id === known.id) return member;
    }
    return undefined;
  }

  bySubject(subject: string): Member | undefined {
    for (const member of this) if (member.subject === subject) return member;
    return undefined;
  }

  /** Adds a member, or takes over what is new about one. @throws SlimError `malformed-frame` */
  set(
    { name, settings, status }: Participant,
    { subject, epoch }: { readonly subject: string | undefined; readonly epoch: bigint },
  ): Member {
    if (!name?.hasText) throw new SlimError('malformed-frame', 'a participant has no name');
    const known = this.#members.get(name.key);
    const member = {
      name,
      sendsData: settings?.sendsData ?? true,
      receivesData: settings?.receivesData ?? true,
      subject: subject ?? known?.subject,
      online: status === participantState.online,
      isLeaving: false,
      isJoining: false,
      silentIntervals: 0,
      sinceEpoch: known?.sinceEpoch ?? epoch,
    };
    this.#members.set(name.key, member);
    return member;
  }

  delete(key: string): void {
    this.#members.delete(key);
  }

  /** Everybody, as control messages list them. */
  toWire(): Participant[] {
    return [...this].map(toParticipant);
  }
}

/**
 * True when that identity is the one behind a member. An id is a hash of the subject (reference: identity 4),
 * so nobody is first with the name of another.
 */
export function speaksFor(subject: string, member: Member): boolean {
  if (member.subject === undefined && applicationId(subject) === member.name.id) {
    member.subject = subject;
  }
  return member.subject === subject;
}

export function toParticipant({ name, sendsData, receivesData, online }: Member): Participant {
  const status = online ? participantState.online : participantState.offline;
  return { name, settings: { sendsData, receivesData }, status };
}

/** What the application sees of a member. */
export function toView({ name, online, sendsData, receivesData }: Member): ChannelParticipant {
  return { name: name.slimName, online, sendsData, receivesData };
}
