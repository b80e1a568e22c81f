import { SlimError } from '../errors/slim-error.js';
import { encodeDataFrame } from '../wire/data-frame.js';
import { DataFrameReader } from '../wire/data-frame-reader.js';
import { frame, type Frame } from '../wire/frame.js';
import { initialTtl, slimHeader, slimVersion, type SlimHeader } from '../wire/header.js';
import type { HeaderMac } from './header-mac.js';

/** Frames of one link of an application: signs what goes, checks what comes. */
export class LinkFrames {
  readonly #mac: HeaderMac | undefined;
  readonly #reader = new DataFrameReader();
  /** By the header as it was given: of the messages between two applications all have the same one. */
  readonly #encoded = new WeakMap<SlimHeader, Uint8Array>();

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

  #encodedHeader(header: SlimHeader): Uint8Array {
    const known = this.#encoded.get(header);
    if (known) return known;
    const bytes = slimHeader.encode(this.#signedHeader(header));
    this.#encoded.set(header, bytes);
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
