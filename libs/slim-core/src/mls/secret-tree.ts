import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { LabelledKdf } from './labelled-kdf.js';

/** Where the message keys of one epoch begin. */
export interface ApplicationSecrets {
  /** Secret of generation 0 of the application ratchet of a leaf; asked for once. */
  of(leaf: number): Uint8Array | undefined;
}

const hashBytes = 32;
const left = new TextEncoder().encode('left');
const right = new TextEncoder().encode('right');
const leftKdf = new LabelledKdf('tree', hashBytes, left.length);
const rightKdf = new LabelledKdf('tree', hashBytes, right.length);
const applicationKdf = new LabelledKdf('application', hashBytes, 0);
const noContext = new Uint8Array(0);

/**
 * The secret tree of one epoch (RFC 9420 section 9), of which only what leads to the leaves that speak is
 * derived: most epochs of a channel that grows see no message. What was derived from is forgotten. The
 * library derives all of it for every commit, a fifth of the time of an invitation (bench case `invite`).
 */
export class SecretTree implements ApplicationSecrets {
  readonly #crypto: Crypto;
  readonly #nodes: number;
  /** Secrets of the highest nodes that nothing was derived from yet. */
  readonly #secrets = new Map<number, Uint8Array>();

  /** Takes over the encryption secret. `nodes` is how many the ratchet tree has. */
  constructor(crypto: Crypto, nodes: number, encryptionSecret: Uint8Array) {
    this.#crypto = crypto;
    this.#nodes = nodes;
    this.#secrets.set((nodes - 1) / 2, encryptionSecret);
  }

  /** @throws SlimError `mls-failure` when it was asked for before */
  of(leaf: number): Uint8Array | undefined {
    const target = leaf * 2;
    if (target >= this.#nodes) return undefined;
    // From the root down; half of what is left lies on either side of a node.
    let reach = (this.#nodes + 1) / 4;
    for (let at = (this.#nodes - 1) / 2; at !== target; reach /= 2) {
      this.#open(at, reach);
      at = target < at ? at - reach : at + reach;
    }
    const secret = this.#take(target);
    if (!secret) throw new SlimError('mls-failure', `the keys of leaf ${leaf} were taken before`);
    const application = applicationKdf.expand(this.#crypto, secret, noContext);
    secret.fill(0);
    return application;
  }

  /** Derives the secrets of both children, unless that was done before. */
  #open(at: number, reach: number): void {
    const secret = this.#take(at);
    if (!secret) return;
    this.#secrets.set(at - reach, leftKdf.expand(this.#crypto, secret, left));
    this.#secrets.set(at + reach, rightKdf.expand(this.#crypto, secret, right));
    secret.fill(0);
  }

  #take(at: number): Uint8Array | undefined {
    const secret = this.#secrets.get(at);
    this.#secrets.delete(at);
    return secret;
  }
}
