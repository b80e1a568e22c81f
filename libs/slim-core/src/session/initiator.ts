import { SlimError } from '../errors/slim-error.js';
import { loadMls } from '../mls/load-mls.js';
import type { MlsGroup } from '../mls/mls-group.js';
import type { MlsPayload } from '../wire/command-payload.js';
import { messageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { ask, online, unexpected } from './control-exchange.js';
import type { Incoming } from './incoming.js';
import type { DiscoveryOptions } from './discovery.js';
import { invite, type Candidate } from './invitation.js';
import type { PointToPointSession, SessionRole } from './point-to-point.js';
import type { RoleRecord } from './session-record.js';

/** The side that opens a session: it finds the other side, invites it and moderates the group of two. */
export class Initiator implements SessionRole {
  readonly isInitiator = true;
  readonly #session: PointToPointSession;
  #peer: WireName | undefined;
  #isOpen = false;

  constructor(session: PointToPointSession) {
    this.#session = session;
    session.role = this;
  }

  /**
   * Opens the session with whoever answers to that name.
   * @throws SlimError see `invite`, and `mls-failure`
   */
  async open(target: WireName, options: DiscoveryOptions): Promise<void> {
    const { context, setup } = this.#session;
    const candidate = await invite(this.#session, target, options);
    const { name, identity, participant } = candidate;
    this.#peer = name;
    const mlsClasses = setup.mls ? await loadMls() : undefined;
    const group = await mlsClasses?.MlsGroup.create(context.mls, context.provider.token());
    const mls = group ? await welcomeWith(group, candidate) : undefined;
    this.#session.activate({ name, identity, group });
    await ask(this.#session, name, messageType.groupWelcome, {
      command: { groupWelcome: { participants: [online(setup.source), participant], mls } },
      answeredBy: messageType.groupAck,
      signal: options.signal,
    });
    this.#isOpen = true;
    this.#session.keep();
  }

  /** Goes on with a session that was open before a restart. */
  resume(peer: WireName): void {
    this.#peer = peer;
    this.#isOpen = true;
  }

  toKeep(): RoleRecord | undefined {
    return this.#isOpen ? { kind: 'initiator' } : undefined;
  }

  control(incoming: Incoming): void {
    if (!incoming.source.equals(this.#peer)) throw unexpected(incoming);
    switch (incoming.session.messageType) {
      case messageType.leaveRequest: {
        this.#session.confirmLeave(incoming);
        const left = `${incoming.source.text} left the session`;
        return this.#session.finish(new SlimError('session-closed', left));
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
}

async function welcomeWith(group: MlsGroup, { keyPackage }: Candidate): Promise<MlsPayload> {
  if (!keyPackage) throw new SlimError('mls-failure', 'the invited side sent no key package');
  const { welcome } = await group.add(keyPackage);
  group.settle();
  return { commitId: firstCommitId, content: welcome };
}

/** The commit that adds the other side; it advances the group to epoch 1 (reference: MLS 4.1). */
const firstCommitId = 1;
