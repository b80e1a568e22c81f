import type { IdentityProvider, IdentityVerifier } from '../auth/identity.js';
import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import type { MlsContext } from '../mls/mls-group.js';
import type { SlimName } from '../names/slim-name.js';
import type { Frame } from '../wire/frame.js';
import type { WireName } from '../wire/wire-name.js';
import type { Composer } from './composer.js';
import type { SessionPolicy } from './session-policy.js';

/** What every session of one application shares. */
export interface SessionContext {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly provider: IdentityProvider;
  readonly verifier: IdentityVerifier;
  readonly composer: Composer;
  readonly mls: MlsContext;
  readonly policy: SessionPolicy;
  /**
   * Puts a message on the link. Lost without a word while the link is down, like on any network.
   * @throws SlimError `message-too-large`
   */
  send(message: Frame): void;
  /** A name as it goes on the wire. @throws SlimError `invalid-name` */
  toWireName(name: SlimName | string): WireName;
  /** Receives what is sent to that name; settles when the node confirmed. */
  subscribe(name: WireName): Promise<void>;
  unsubscribe(name: WireName): Promise<void>;
  /** False while there is no link. */
  readonly isConnected: boolean;
  /** False while the link takes no more. */
  readonly isWritable: boolean;
  /** Settles when the link takes messages again. @throws SlimError `link-closed`, `aborted` */
  whenWritable(signal?: AbortSignal): Promise<void>;
}

/** A random message id, never 0, which native peers refuse. */
export function randomMessageId(crypto: Crypto): number {
  return randomUint32(crypto) || 1;
}

/** Session ids are below 2^32 - 1001 (reference: sessions 2.2). */
export function randomSessionId(crypto: Crypto): number {
  return randomUint32(crypto) % (2 ** 32 - 1001);
}

function randomUint32(crypto: Crypto): number {
  return new DataView(crypto.random(4).slice().buffer).getUint32(0);
}
