import { SlimError } from '../errors/slim-error.js';
import { encodeDataFrame } from '../wire/data-frame.js';
import { DataFrameReader } from '../wire/data-frame-reader.js';
import { frame, type Frame } from '../wire/frame.js';
import { initialTtl, slimHeader, slimVersion, type SlimHeader } from '../wire/header.js';
import type { HeaderMac } from './header-mac.js';

/** Looked through one by one, so few. */
const maxKept = 8;

/** A header as it was given and as it goes. */
interface EncodedHeader {
  readonly header: SlimHeader;
  readonly bytes: Uint8Array;
}

/** Frames of one link of an application: signs what goes, checks what comes. */
export class LinkFrames {
  readonly #mac: HeaderMac | undefined;
  readonly #reader = new DataFrameReader();
  readonly #encoded: EncodedHeader[] = [];
  #oldest = 0;

  /** Without a MAC nothing is signed or checked. */
  constructor(mac: HeaderMac | undefined) {
    this.#mac = mac;
  }

  /** The frame with what belongs to its first hop: version, ttl and header MAC. */
  encode(message: Frame): Uint8Array<ArrayBuffer> {
    const { publish, metadata } = message;
    const application = publish?.content?.application;
    const isPlain = application && publish.header && publish.session && metadata.size === 0;
    if (!isPlain) return frame.encode(this.#signed(message));
    return encodeDataFrame(this.#encodedHeader(publish.header), publish.session, application);
  }

  /** @throws SlimError `malformed-frame`, also when the header MAC is wrong */
  decode(bytes: Uint8Array): Frame {
    const message = this.#reader.decode(bytes);
    const header = message.publish?.header;
    if (header && this.#mac && !this.#mac.verify(header, header.headerMac)) {
      throw new SlimError('malformed-frame', 'the header MAC of a message is wrong');
    }
    return message;
  }

  /** Of the messages between two applications all have the same, for as long as the token stays. */
  #encodedHeader(header: SlimHeader): Uint8Array {
    for (const known of this.#encoded) if (isSame(known.header, header)) return known.bytes;
    const bytes = slimHeader.encode(this.#signedHeader(header));
    this.#encoded[this.#oldest] = { header, bytes };
    this.#oldest = (this.#oldest + 1) % maxKept;
    return bytes;
  }

  #signed(message: Frame): Frame {
    const { publish, subscribe, unsubscribe } = message;
    return {
      ...message,
      publish: publish && { ...publish, header: this.#signedHeader(publish.header) },
      subscribe: subscribe && { ...subscribe, header: this.#signedHeader(subscribe.header) },
      unsubscribe: unsubscribe && {
        ...unsubscribe,
        header: this.#signedHeader(unsubscribe.header),
      },
    };
  }

  #signedHeader(header: SlimHeader = slimHeader.make()): SlimHeader {
    const final = { ...header, version: slimVersion, ttl: initialTtl };
    return this.#mac ? { ...final, headerMac: this.#mac.tag(final) } : final;
  }
}

/** In what an application sets. */
function isSame(a: SlimHeader, b: SlimHeader): boolean {
  if (a === b) return true;
  return (
    a.source === b.source &&
    a.destination === b.destination &&
    a.identity === b.identity &&
    a.fanout === b.fanout &&
    a.error === b.error &&
    a.receivedFrom === b.receivedFrom &&
    a.forwardTo === b.forwardTo &&
    a.incomingConnection === b.incomingConnection &&
    a.headerSignature === b.headerSignature
  );
}
