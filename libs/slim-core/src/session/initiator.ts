import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import { MlsGroup } from '../mls/mls-group.js';
import type { MlsPayload, Participant } from '../wire/command-payload.js';
import { messageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { verifySender } from './checks.js';
import { ask, online, unexpected } from './control-exchange.js';
import type { Incoming } from './incoming.js';
import type { PointToPointSession, SessionRole } from './point-to-point.js';

/** How long the first step, finding somebody, may take. */
export interface InvitationOptions {
  readonly discoveryMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Header checks by the receiver: of every message (reference: MLS 6). */
const headerIntegrityPercent = 100;
/** Discovery requests within the time for discovery. */
const discoveryTries = 4;

/** The side that opens a session: it finds the other side, invites it and moderates the group of two. */
export class Initiator implements SessionRole {
  readonly #session: PointToPointSession;
  #peer: WireName | undefined;

  constructor(session: PointToPointSession) {
    this.#session = session;
    session.role = this;
  }

  /**
   * Opens the session with whoever answers to that name.
   * @throws SlimError `no-route` when nobody does, `timeout` when the one found stops answering,
   * `mls-failure`, `identity-rejected`
   */
  async invite(target: WireName, options: InvitationOptions): Promise<void> {
    const peer = await this.#discover(target, options);
    this.#peer = peer;
    const { mls } = this.#session.setup;
    const { context } = this.#session;
    const group = mls ? await MlsGroup.create(context.mls, context.provider.token()) : undefined;
    const { keyPackage, own, identity } = await this.#join(peer, options);
    const welcome = group ? await welcomeWith(group, keyPackage) : undefined;
    this.#session.activate({ name: peer, identity, group });
    await this.#welcome(peer, own, welcome, options);
  }

  control(incoming: Incoming): void {
    if (!incoming.source.equals(this.#peer)) throw unexpected(incoming);
    switch (incoming.session.messageType) {
      case messageType.leaveRequest: {
        const id = incoming.session.messageId;
        this.#session.send(incoming.source, messageType.leaveReply, {
          id,
          command: { leaveReply: {} },
        });
        const who = incoming.source.text;
        return this.#session.finish(new SlimError('session-closed', `${who} left the session`));
      }
      default:
        throw unexpected(incoming);
    }
  }

  async leave(): Promise<void> {
    if (!this.#peer) return;
    const { source } = this.#session.setup;
    const groupClose = { participants: [source, this.#peer] };
    await ask(this.#session, this.#peer, messageType.groupClose, {
      command: { groupClose },
      answeredBy: messageType.groupAck,
    });
  }

  async #discover(target: WireName, { discoveryMs, signal }: InvitationOptions): Promise<WireName> {
    const name = target.text;
    const reply = await ask(this.#session, target, messageType.discoveryRequest, {
      command: { discoveryRequest: {} },
      answeredBy: messageType.discoveryReply,
      intervalMs: discoveryMs / discoveryTries,
      maxRetries: discoveryTries - 1,
      signal,
      unanswered: () =>
        new SlimError('no-route', `nobody answers at "${name}" (asked for ${discoveryMs} ms)`),
    });
    if (reply.source.prefix !== target.prefix) {
      throw new SlimError('identity-rejected', `asked "${name}", ${reply.source.text} answered`);
    }
    return reply.source;
  }

  async #join(
    peer: WireName,
    { signal }: InvitationOptions,
  ): Promise<{
    readonly keyPackage: Uint8Array | undefined;
    readonly own: Participant | undefined;
    readonly identity: Identity;
  }> {
    const { mls, reliable, policy, metadata } = this.#session.setup;
    const { verifier, crypto } = this.#session.context;
    const timers = { timeoutMs: policy.intervalMs, maxRetries: policy.maxRetries };
    const reply = await ask(this.#session, peer, messageType.joinRequest, {
      command: {
        joinRequest: {
          timers: reliable ? timers : undefined,
          channel: undefined,
          control: undefined,
          mls: mls ? { headerIntegrityPercent } : undefined,
        },
      },
      metadata: new Map(Object.entries(metadata)),
      answeredBy: messageType.joinReply,
      signal,
    });
    if (!reply.source.equals(peer)) {
      throw new SlimError('identity-rejected', `${reply.source.text} answered for another`);
    }
    const joinReply = reply.command?.joinReply;
    const identity = await verifySender(verifier, crypto, reply);
    return { keyPackage: joinReply?.keyPackage, own: joinReply?.participant, identity };
  }

  async #welcome(
    peer: WireName,
    other: Participant | undefined,
    mls: MlsPayload | undefined,
    { signal }: InvitationOptions,
  ): Promise<void> {
    const participants = [online(this.#session.setup.source), other ?? online(peer)];
    await ask(this.#session, peer, messageType.groupWelcome, {
      command: { groupWelcome: { participants, mls } },
      answeredBy: messageType.groupAck,
      signal,
    });
  }
}

async function welcomeWith(
  group: MlsGroup,
  keyPackage: Uint8Array | undefined,
): Promise<MlsPayload> {
  if (!keyPackage) throw new SlimError('mls-failure', 'the invited side sent no key package');
  const { welcome } = await group.add(keyPackage);
  return { commitId: firstCommitId, content: welcome };
}

/** The commit that adds the other side; it advances the group to epoch 1 (reference: MLS 4.1). */
const firstCommitId = 1;
