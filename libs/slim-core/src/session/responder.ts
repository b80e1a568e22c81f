import type { Identity } from '../auth/identity.js';
import type { Cancel } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { loadMls } from '../mls/load-mls.js';
import type { PendingMember } from '../mls/mls-group.js';
import { messageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { askToLeave, online, unexpected } from './control-exchange.js';
import type { Incoming } from './incoming.js';
import type { PointToPointSession, SessionRole } from './point-to-point.js';
import type { RoleRecord } from './session-record.js';

type State =
  | { readonly kind: 'invited' }
  | {
      readonly kind: 'joining';
      readonly pending: PendingMember | undefined;
      readonly expire: Cancel;
    }
  | { readonly kind: 'joined'; readonly welcomeId: number };

/** Who asks this side in, or did before a restart. */
export interface Invited {
  readonly moderator: WireName;
  readonly identity: Identity;
  /** Of the welcome that this side joined with, before a restart. */
  readonly welcomeId?: number;
}

/** The side that was asked: it answers the invitation and joins with the welcome. */
export class Responder implements SessionRole {
  readonly isInitiator = false;
  readonly #session: PointToPointSession;
  readonly #moderator: WireName;
  readonly #identity: Identity;
  readonly #established: () => void;
  #state: State = { kind: 'invited' };

  /** `established` is called once, when messages can be read; not if the welcome never comes. */
  constructor(
    session: PointToPointSession,
    { moderator, identity, welcomeId }: Invited,
    established: () => void = () => undefined,
  ) {
    this.#session = session;
    this.#moderator = moderator;
    this.#identity = identity;
    this.#established = established;
    if (welcomeId !== undefined) this.#state = { kind: 'joined', welcomeId };
    session.role = this;
  }

  toKeep(): RoleRecord | undefined {
    if (this.#state.kind !== 'joined') return undefined;
    return { kind: 'responder', welcomeId: this.#state.welcomeId };
  }

  control(incoming: Incoming, identity: Identity): void | Promise<void> {
    if (!incoming.source.equals(this.#moderator) || identity.subject !== this.#identity.subject) {
      throw new SlimError('identity-rejected', `${incoming.source.text} is not the moderator`);
    }
    switch (incoming.session.messageType) {
      case messageType.joinRequest:
        return this.#invited(incoming);
      case messageType.groupWelcome:
        return this.#welcomed(incoming);
      case messageType.groupClose:
        this.#session.acknowledge(incoming);
        return this.#closedByModerator();
      case messageType.leaveRequest:
        this.#session.confirmLeave(incoming);
        return this.#closedByModerator();
      default:
        throw unexpected(incoming);
    }
  }

  async leave(): Promise<void> {
    if (this.#state.kind === 'joining') this.#state.expire();
    await askToLeave(this.#session, this.#moderator);
  }

  /**
   * Answers the invitation; also when it is repeated, because the answer may have been lost, or comes with
   * another number: a native opener that found this side more than once invites as often.
   */
  async #invited({ session }: Incoming): Promise<void> {
    const { context, setup } = this.#session;
    // Without MLS a native moderator that has moved on does not survive a second answer.
    if (this.#state.kind === 'joined') return;
    if (this.#state.kind === 'invited') {
      const mls = setup.mls ? await loadMls() : undefined;
      const pending = await mls?.PendingMember.create(context.mls, context.provider.token());
      const { intervalMs, maxRetries } = setup.policy;
      const expire = context.clock.schedule(intervalMs * (maxRetries + 1), () =>
        this.#session.finish(new SlimError('timeout', 'the invitation was not followed up')),
      );
      this.#state = { kind: 'joining', pending, expire };
      void this.#session.ended.then(expire);
    }
    const keyPackage = this.#state.pending?.keyPackage;
    this.#session.send(this.#moderator, messageType.joinReply, {
      id: session.messageId,
      command: { joinReply: { keyPackage, participant: online(setup.source) } },
    });
  }

  async #welcomed(incoming: Incoming): Promise<void> {
    const state = this.#state;
    // Repeated, because the acknowledgement was lost.
    if (state.kind === 'joined' && state.welcomeId === incoming.session.messageId) {
      return this.#session.acknowledge(incoming);
    }
    if (state.kind !== 'joining') throw unexpected(incoming);
    const mls = incoming.command?.groupWelcome?.mls;
    if (state.pending && !mls) throw new SlimError('mls-failure', 'the welcome has no MLS part');
    const group = state.pending && mls ? await state.pending.join(mls.content) : undefined;
    if (this.#session.endReason) return;
    group?.settle();
    state.expire();
    this.#state = { kind: 'joined', welcomeId: incoming.session.messageId };
    this.#session.activate({ name: incoming.source, identity: this.#identity, group });
    this.#session.keep();
    this.#session.acknowledge(incoming);
    this.#established();
  }

  #closedByModerator(): void {
    const who = this.#moderator.text;
    this.#session.finish(new SlimError('session-closed', `${who} closed the session`));
  }
}
