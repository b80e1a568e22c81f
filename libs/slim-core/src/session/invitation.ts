import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import type { Participant } from '../wire/command-payload.js';
import { messageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { BaseSession } from './base-session.js';
import { verifySender } from './checks.js';
import { ask, online } from './control-exchange.js';
import { discover, type DiscoveryOptions } from './discovery.js';

/** Somebody who accepted an invitation. */
export interface Candidate {
  readonly name: WireName;
  readonly identity: Identity;
  /** Absent without MLS. */
  readonly keyPackage: Uint8Array | undefined;
  readonly participant: Participant;
}

/** How an invitation goes. */
export interface InvitationOptions {
  readonly signal?: AbortSignal | undefined;
  /** The names of a channel; absent in a session of two. */
  readonly channel?: WireName;
  readonly control?: WireName;
}

/** Header checks by the receiver: of every message (reference: MLS 6). */
const headerIntegrityPercent = 100;

/**
 * Finds somebody at a name and asks them in: discovery, then the invitation to the one who answered.
 * @throws SlimError `no-route` when nobody answers, `refused` when they do not want to, `timeout` when
 * they stop answering, `identity-rejected`
 */
export async function invite(
  session: BaseSession,
  target: WireName,
  options: InvitationOptions & DiscoveryOptions,
): Promise<Candidate> {
  const name = await discover(session, target, options);
  return join(session, name, options);
}

/** Asks in somebody who was found. @throws SlimError as `invite`, but for `no-route` */
export async function join(
  session: BaseSession,
  name: WireName,
  { signal, channel, control }: InvitationOptions,
): Promise<Candidate> {
  const { mls, reliable, policy, metadata } = session.setup;
  const timers = { timeoutMs: policy.intervalMs, maxRetries: policy.maxRetries };
  const reply = await ask(session, name, messageType.joinRequest, {
    command: {
      joinRequest: {
        // Older native peers refuse an invitation to a channel that has none.
        timers: reliable ? timers : undefined,
        channel,
        control,
        mls: mls ? { headerIntegrityPercent } : undefined,
      },
    },
    metadata: new Map(Object.entries(metadata)),
    answeredBy: [messageType.joinReply, messageType.groupNack],
    signal,
  });
  if (!reply.source.equals(name)) {
    throw new SlimError('identity-rejected', `${reply.source.text} answered for ${name.text}`);
  }
  if (reply.session.messageType === messageType.groupNack) {
    throw new SlimError('refused', `${name.text} does not want to join`);
  }
  const { verifier, crypto } = session.context;
  const identity = await verifySender(verifier, crypto, reply);
  const { keyPackage, participant } = reply.command?.joinReply ?? {};
  const settings = participant?.settings ?? online(name).settings;
  return { name, identity, keyPackage, participant: { ...online(name), settings } };
}

/** @throws SlimError `mls-failure` when there is none */
export function keyPackageOf({ keyPackage }: Candidate): Uint8Array {
  if (keyPackage) return keyPackage;
  throw new SlimError('mls-failure', 'the invited side sent no key package');
}
