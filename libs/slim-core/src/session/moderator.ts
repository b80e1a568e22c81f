import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import type { CommitResult } from '../mls/mls-group.js';
import type { SlimName } from '../names/slim-name.js';
import {
  groupUpdateOp,
  participantState,
  type MlsPayload,
  type Participant,
} from '../wire/command-payload.js';
import { messageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { InvitationResult } from './channel.js';
import type { ChannelRole } from './channel-role.js';
import type { ChannelSession } from './channel-session.js';
import { ask, askAll, online, unexpected } from './control-exchange.js';
import { CredentialRenewal } from './credential-renewal.js';
import { discover } from './discovery.js';
import type { Incoming } from './incoming.js';
import { join, keyPackageOf, type Candidate } from './invitation.js';
import { toParticipant, type Member } from './roster.js';
import { SerialTasks } from './serial-tasks.js';
import type { ModeratorRecord } from './session-record.js';

/** Strangers told at a time, all at once: others wait meanwhile. Who is not told is heard again. */
const maxStrangers = 64;

/**
 * The side that created a channel: it alone changes the membership, one change after the other, and
 * numbers the commits (reference: sessions 5, 6, 10).
 */
export class Moderator implements ChannelRole {
  readonly #session: ChannelSession;
  readonly #discoveryMs: number;
  readonly #tasks = new SerialTasks();
  readonly #strangers = new Map<string, WireName>();
  /** The last request for new keys of each member. */
  readonly #rejoinIds = new Map<string, number>();
  readonly #removedAtMs = new Map<string, number>();
  #commitId = 0;
  readonly #renewal: CredentialRenewal;

  /** `before` is what it was before a restart. */
  constructor(session: ChannelSession, discoveryMs: number, before?: ModeratorRecord) {
    this.#session = session;
    this.#discoveryMs = discoveryMs;
    this.#commitId = before?.commitId ?? 0;
    const { clock } = session.context;
    this.#renewal = new CredentialRenewal(clock, before?.refreshedAtMs ?? clock.now(), () =>
      this.#background(() => this.#refresh()),
    );
    session.role = this;
    // One that was restored has no link yet: see `resume`.
    if (session.mls && !before) this.#renewal.start();
  }

  control(incoming: Incoming, identity: Identity): void {
    const member = this.#session.roster.get(incoming.source.key);
    switch (incoming.session.messageType) {
      case messageType.leaveRequest:
        return this.#left(member, incoming);
      case messageType.rejoinRequest:
        return this.#rejoins(member, incoming, identity);
      case messageType.joinReply:
      case messageType.discoveryReply:
      case messageType.leaveReply:
      case messageType.groupAck:
        // Late or repeated answers, which nobody waits for any more.
        return undefined;
      default:
        throw unexpected(incoming);
    }
  }

  /** Members tell when they are behind; nobody is ahead of the moderator. */
  fellBehind(): Promise<void> {
    return Promise.resolve();
  }

  /** It was removed and did not hear of it. */
  stranger({ source }: Incoming): void {
    if (this.#strangers.size >= maxStrangers) return;
    const isFirst = this.#strangers.size === 0;
    this.#strangers.set(source.key, source);
    if (!isFirst) return;
    this.#background(async () => {
      const names = [...this.#strangers.values()];
      this.#strangers.clear();
      const strangers = names.filter(({ key }) => !this.#session.roster.get(key));
      await Promise.all(strangers.map((name) => this.#dismiss({ name, online: false })));
    });
  }

  invite(names: readonly WireName[], signal?: AbortSignal): Promise<readonly InvitationResult[]> {
    return this.#tasks.run(() => this.#inviteAll(names, signal));
  }

  async remove(name: SlimName): Promise<void> {
    const { roster, setup } = this.#session;
    const isSelf = await this.#tasks.run(async () => {
      // Another member may have the same service name as the moderator.
      const member = roster.find(name, setup.source) ?? roster.find(name);
      if (!member)
        throw new SlimError('not-a-member', `"${name.toString()}" is not in the channel`);
      if (member.name.equals(setup.source)) return true;
      await this.#expel(member);
      return false;
    });
    if (isSelf) await this.#session.close();
  }

  async leave(): Promise<void> {
    const { roster, setup } = this.#session;
    const participants = [...roster].map((member) => member.name);
    const members = this.#session.onlineOthers();
    if (members.length > 0) {
      await askAll(this.#session, setup.control, messageType.groupClose, {
        command: { groupClose: { participants } },
        answeredBy: messageType.groupAck,
        members,
      });
    }
  }

  toKeep(): ModeratorRecord {
    const [discoveryMs, commitId] = [this.#discoveryMs, this.#commitId];
    return { kind: 'moderator', commitId, discoveryMs, refreshedAtMs: this.#renewal.renewedAtMs };
  }

  /**
   * Goes on after a restart, once there is a link. Whom it kept from saying that it is in is taken out, and may
   * be invited again.
   */
  resume(): void {
    if (this.#session.mls) this.#renewal.start();
    for (const member of this.#session.roster) {
      if (member.isJoining) this.#background(() => this.#expel(member));
    }
  }

  stop(): void {
    this.#renewal.stop();
  }

  async #inviteAll(
    names: readonly WireName[],
    signal: AbortSignal | undefined,
  ): Promise<readonly InvitationResult[]> {
    const discovered = await Promise.allSettled(names.map((name) => this.#find(name, signal)));
    // Only now: whoever was asked in would wait for the answers of those that nobody finds.
    const invited = await Promise.allSettled(
      discovered.map((one) =>
        one.status === 'fulfilled' ? this.#ask(one.value, signal) : Promise.reject(one.reason),
      ),
    );
    const found = invited.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const errors = new Map<Candidate | WireName, SlimError>();
    invited.forEach((one, at) => {
      const name = names[at];
      if (one.status === 'rejected' && name)
        errors.set(name, SlimError.from(one.reason, 'timeout'));
    });
    const results = await this.#admitAll(found);
    return names.map((name, at) => {
      const one = invited[at];
      const error = one?.status === 'fulfilled' ? results.get(one.value) : errors.get(name);
      return { name: name.slimName, ...(error && { error }) };
    });
  }

  async #find(name: WireName, signal: AbortSignal | undefined): Promise<WireName> {
    const { roster, context } = this.#session;
    const target = name.slimName;
    const known = roster.find(target);
    if (known) throw new SlimError('already-a-member', `"${known.name.text}" is in the channel`);
    const removedAtMs = this.#removedAtMs.get(target.service);
    const { policy } = this.#session.setup;
    const readyAtMs = (removedAtMs ?? -Infinity) + policy.reinviteMs;
    if (readyAtMs > context.clock.now()) await this.#pause(readyAtMs - context.clock.now());
    return discover(this.#session, name, { discoveryMs: this.#discoveryMs, signal });
  }

  #ask(name: WireName, signal: AbortSignal | undefined): Promise<Candidate> {
    const { channel, control } = this.#session.setup;
    return join(this.#session, name, { signal, channel, control });
  }

  #pause(waitMs: number): Promise<void> {
    return this.#session.within(waitMs, this.#session.ended);
  }

  /** One change of keys for all of them, where there is nobody yet whom each must be announced to. */
  async #admitAll(candidates: readonly Candidate[]): Promise<Map<Candidate, SlimError>> {
    const errors = new Map<Candidate, SlimError>();
    const batches = this.#session.roster.size > 1 ? candidates.map((one) => [one]) : [candidates];
    for (const batch of batches) {
      try {
        for (const [failed, error] of await this.#admit(batch)) errors.set(failed, error);
      } catch (reason) {
        for (const failed of batch) errors.set(failed, SlimError.from(reason, 'mls-failure'));
      }
    }
    return errors;
  }

  /** Takes candidates in: an update to those already there, a welcome to the new ones. */
  async #admit(candidates: readonly Candidate[]): Promise<Map<Candidate, SlimError>> {
    const failures = new Map<Candidate, SlimError>();
    if (candidates.length === 0) return failures;
    const { group, roster } = this.#session;
    const others = this.#session.onlineOthers();
    const commit = group && (await group.add(...candidates.map(keyPackageOf)));
    const members = candidates.map((one) =>
      this.#session.admit(one.participant, one.identity.subject),
    );
    for (const member of members) member.isJoining = true;
    const participants = roster.toWire();
    await this.#changed();
    const [added] = candidates;
    const updated =
      others.length > 0
        ? this.#update(groupUpdateOp.add, added?.participant, participants, { commit, others })
        : Promise.resolve();
    const welcomed = candidates.map((one) =>
      ask(this.#session, one.name, messageType.groupWelcome, {
        command: { groupWelcome: { participants, mls: this.#payload(commit?.welcome) } },
        answeredBy: messageType.groupAck,
      }),
    );
    await updated;
    const results = await Promise.allSettled(welcomed);
    for (const [at, result] of results.entries()) {
      const candidate = candidates[at];
      const member = members[at];
      if (member) member.isJoining = false;
      if (result.status === 'fulfilled' || !candidate || !member) continue;
      failures.set(candidate, SlimError.from(result.reason, 'timeout'));
      if (this.#session.endReason) continue;
      // It may be in, and only its acknowledgement was lost.
      this.#session.setOnline(member, false);
      await this.#expel(member);
    }
    this.#session.keep();
    return failures;
  }

  async #expel(member: Member): Promise<void> {
    await this.#evict(member);
    await this.#dismiss(member);
  }

  /** Takes a member out of roster and keys, and tells the others. */
  async #evict(member: Member): Promise<void> {
    const { group, roster } = this.#session;
    const before = roster.toWire();
    // First: what is said from the moment on that it is said to have left must not be readable for it.
    const commit = group && member.subject ? await group.remove(member.subject) : undefined;
    this.#session.dismiss(member);
    this.#removedAtMs.set(member.name.slimName.service, this.#session.context.clock.now());
    await this.#changed();
    const others = this.#session.onlineOthers();
    if (others.length === 0) return;
    await this.#update(groupUpdateOp.remove, toParticipant(member), before, { commit, others });
  }

  /** Tells a member that it is out. It is, whether it hears of it or not. */
  async #dismiss(member: Pick<Member, 'name' | 'online'>): Promise<void> {
    await ask(this.#session, member.name, messageType.leaveRequest, {
      command: { leaveRequest: {} },
      answeredBy: messageType.leaveReply,
      ...(member.online ? {} : { maxRetries: 1 }),
    }).catch((reason: unknown) => this.#session.report(reason));
  }

  #left(member: Member | undefined, incoming: Incoming): void {
    this.#session.confirmLeave(incoming);
    if (!member || !this.#session.setup.memory.add(incoming)) return;
    this.#session.setOnline(member, false);
    member.isLeaving = true;
    this.#session.requests.excuse(member.name.key);
    this.#background(async () => {
      if (this.#session.roster.get(member.name.key) === member) await this.#evict(member);
    });
  }

  /** A member comes back with a new key package, because it missed a commit (reference: sessions 8.3). */
  #rejoins(member: Member | undefined, incoming: Incoming, { subject }: Identity): void {
    const request = incoming.command?.rejoinRequest;
    const { group } = this.#session;
    if (!request || !group) throw unexpected(incoming);
    // Repeated: the answer repeats itself, and keys that were used once are of no use again.
    if (!this.#session.setup.memory.add(incoming)) return;
    if (!member) return this.stranger(incoming);
    const { key } = member.name;
    const { messageId: id } = incoming.session;
    this.#rejoinIds.set(key, id);
    this.#background(async () => {
      // Removed meanwhile; if it was invited again too, it asked with the keys of before.
      if (this.#session.roster.get(key) !== member) return;
      // It gave this one up and asked anew.
      if (this.#rejoinIds.get(key) !== id) return;
      const commit = await group.replace(subject, request.keyPackage);
      await this.#changed();
      await this.#answerRejoin(member, id, commit);
    });
  }

  async #answerRejoin(member: Member, id: number, commit: CommitResult): Promise<void> {
    const participants = this.#session.roster.toWire();
    const rejoinReply = this.#payload(commit.welcome);
    const { policy } = this.#session.setup;
    const replied = this.#session.requests.collect(
      {
        messageId: id,
        answeredBy: [messageType.groupAck],
        intervalMs: policy.intervalMs,
        maxRetries: policy.maxRetries,
        transmit: () =>
          this.#session.send(member.name, messageType.rejoinReply, {
            id,
            command: { rejoinReply },
          }),
      },
      [member.name.key],
    );
    const others = new Set([...this.#session.onlineOthers(), member.name.key]);
    await this.#update(groupUpdateOp.rejoin, toParticipant(member), participants, {
      commit,
      others,
    });
    for (const key of await replied) {
      this.#session.setOnline(this.#session.roster.get(key), false);
    }
  }

  /** Sends a change to the channel; who does not acknowledge it counts as offline. */
  async #update(
    op: number,
    participant: Participant | undefined,
    participants: Participant[],
    { commit, others }: { commit: CommitResult | undefined; others: Iterable<string> },
  ): Promise<void> {
    const mls = this.#payload(commit?.commit);
    const { roster, setup } = this.#session;
    const missing = await askAll(this.#session, setup.control, messageType.groupUpdate, {
      command: { groupUpdate: { op, participant, participants, mls } },
      answeredBy: messageType.groupAck,
      members: others,
    });
    for (const key of missing) this.#session.setOnline(roster.get(key), false);
  }

  /**
   * Numbers a change and keeps it before anybody hears of it, trying for as long as it would repeat a message. One
   * that is not kept would be made otherwise after a restart, under the same number, so the channel ends here then.
   * @throws SlimError `store-failed`, or why the channel ended meanwhile
   */
  async #changed(): Promise<void> {
    this.#commitId += 1;
    const { intervalMs, maxRetries } = this.#session.setup.policy;
    for (let retriesLeft = maxRetries; !this.#session.keep(); retriesLeft -= 1) {
      if (!this.#session.endReason && retriesLeft > 0) await this.#pause(intervalMs);
      else this.#session.finish(new SlimError('store-failed', 'a change cannot be kept'));
      if (this.#session.endReason) throw this.#session.endReason;
    }
    if (this.#session.group) this.#session.epochChanged();
  }

  #payload(content: Uint8Array | undefined): MlsPayload | undefined {
    return content && { commitId: this.#commitId, content };
  }

  #background(task: () => Promise<void>): void {
    this.#tasks.run(task).catch((reason: unknown) => this.#session.report(reason));
  }

  async #refresh(): Promise<void> {
    const { group, roster, context, setup } = this.#session;
    if (!group) return;
    const commit = await group.refresh(context.provider.token());
    await this.#changed();
    const own = { ...online(setup.source), status: participantState.online };
    const others = this.#session.onlineOthers();
    if (others.length === 0) return;
    await this.#update(groupUpdateOp.rejoin, own, roster.toWire(), { commit, others });
  }
}
