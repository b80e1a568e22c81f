import type { IdentityProvider } from '../auth/identity.js';
import type { Crypto } from '../crypto/crypto.js';
import type { MlsGroup } from '../mls/mls-group.js';
import { commandPayload, type CommandPayload } from '../wire/command-payload.js';
import { applicationPayload, frame, publish, type Frame } from '../wire/frame.js';
import { fanout, slimHeader, type SlimHeader } from '../wire/header.js';
import { headerIntegrityBytes } from '../wire/header-integrity.js';
import type { TextMap } from '../wire/schema.js';
import type { SessionHeader } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { Content } from './content.js';

/** Where a message goes and which one it is. */
export interface Address {
  readonly source: WireName;
  readonly destination: WireName;
  readonly session: SessionHeader;
  /** One receiver unless said otherwise. */
  readonly fanout?: number;
}

const noMetadata: TextMap = new Map();

/**
 * Builds the messages of one application. The token is set first, because the signature of a control
 * message and the authenticated data of an MLS message cover it (reference: identity 5).
 */
export class Composer {
  readonly #provider: IdentityProvider;
  readonly #crypto: Crypto;
  /** The last one to each destination: its messages share it for as long as the token stays the same. */
  readonly #headers = new WeakMap<WireName, SlimHeader>();

  constructor(provider: IdentityProvider, crypto: Crypto) {
    this.#provider = provider;
    this.#crypto = crypto;
  }

  /** A signed control message. */
  control(
    address: Address,
    command: Partial<CommandPayload>,
    metadata: TextMap = noMetadata,
  ): Frame {
    const header = this.#header(address);
    const signed = headerIntegrityBytes(header, address.session, '');
    const headerSignature = this.#crypto.sign(this.#provider.keys.privateKey, signed);
    return frame.make({
      publish: publish.make({
        header: { ...header, headerSignature },
        session: address.session,
        content: { application: undefined, command: commandPayload.make(command) },
      }),
      metadata,
    });
  }

  /** A data message, sealed when a group is given. */
  data(address: Address, content: Content, group: MlsGroup | undefined): Frame {
    const header = this.#header(address);
    const { payloadType, payload } = content;
    const blob = group
      ? group.seal(payload, headerIntegrityBytes(header, address.session, payloadType))
      : payload;
    return frame.make({
      publish: publish.make({
        header,
        session: address.session,
        content: { application: { payloadType, blob }, command: undefined },
      }),
      metadata: content.metadata,
    });
  }

  /** An acknowledgement or a request for a retransmission: application content that is empty. */
  empty(address: Address, metadata: TextMap = noMetadata): Frame {
    return frame.make({
      metadata,
      publish: publish.make({
        header: this.#header(address),
        session: address.session,
        content: { application: applicationPayload.make(), command: undefined },
      }),
    });
  }

  #header({ source, destination, fanout: copies = fanout.one }: Address): SlimHeader {
    const identity = this.#provider.token();
    const known = this.#headers.get(destination);
    const isSame =
      known?.source === source && known.identity === identity && known.fanout === copies;
    if (isSame) return known;
    const header = slimHeader.make({ source, destination, identity, fanout: copies });
    this.#headers.set(destination, header);
    return header;
  }
}
