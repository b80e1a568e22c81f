import { dataFrameTags as tags } from './data-frame.js';
import { frame, type Frame } from './frame.js';
import { slimHeader } from './header.js';
import { utf8Text } from './protobuf-reader.js';
import { RecentBytes } from './recent-bytes.js';
import type { TextMap } from './schema.js';
import type { SessionHeader } from './session-header.js';

const noBytes = new Uint8Array(0);
const noMetadata: TextMap = new Map();

/**
 * Reads the frames of one link: those that `encodeDataFrame` describes by hand (bench case `one-way`), all
 * others by their definitions, which are the oracle in the tests. Equal headers that come again are one object.
 */
export class DataFrameReader {
  readonly #headers = new RecentBytes((bytes) => slimHeader.decode(bytes));
  readonly #payloadTypes = new RecentBytes(utf8Text);
  #bytes: Uint8Array = noBytes;
  #at = 0;

  /** As `frame.decode`; byte fields are views of the frame. @throws SlimError `malformed-frame` */
  decode(bytes: Uint8Array): Frame {
    this.#bytes = bytes;
    this.#at = 0;
    const message = this.#dataFrame(bytes);
    this.#bytes = noBytes;
    return message ?? frame.decode(bytes);
  }

  /** Undefined for whatever is not exactly what `encodeDataFrame` writes. */
  #dataFrame(bytes: Uint8Array): Frame | undefined {
    const end = bytes.length;
    if (this.#endOf(tags.publish) !== end) return undefined;
    const headerEnd = this.#endOf(tags.header);
    const headerStart = this.#at;
    if (headerEnd === undefined) return undefined;
    this.#at = headerEnd;
    const session = this.#session();
    if (!session || this.#endOf(tags.content) !== end) return undefined;
    if (this.#endOf(tags.application) !== end) return undefined;

    const typeEnd = this.#next === tags.payloadType ? this.#endOf(tags.payloadType) : this.#at;
    if (typeEnd === undefined) return undefined;
    const payloadType = this.#payloadTypes.read(bytes, this.#at, typeEnd);
    this.#at = typeEnd;
    if (this.#at < end && this.#endOf(tags.blob) !== end) return undefined;
    const blob = bytes.subarray(this.#at);
    const header = this.#headers.read(bytes, headerStart, headerEnd);
    return {
      subscribe: undefined,
      unsubscribe: undefined,
      publish: {
        header,
        session,
        content: { application: { payloadType, blob }, command: undefined },
      },
      metadata: noMetadata,
      link: undefined,
      subscriptionAck: undefined,
    };
  }

  get #next(): number | undefined {
    return this.#bytes[this.#at];
  }

  #session(): SessionHeader | undefined {
    const end = this.#endOf(tags.session);
    if (end === undefined) return undefined;
    const session = {
      sessionType: this.#number(tags.sessionType, end),
      messageType: this.#number(tags.messageType, end),
      sessionId: this.#number(tags.sessionId, end),
      messageId: this.#number(tags.messageId, end),
    };
    return this.#at === end && isComplete(session) ? session : undefined;
  }

  /** Where the field with that tag ends; undefined when there is another one, or it runs past the end. */
  #endOf(tag: number): number | undefined {
    if (this.#next !== tag) return undefined;
    this.#at += 1;
    const end = this.#varint() + this.#at;
    return end <= this.#bytes.length ? end : undefined;
  }

  /** 0 when the field is not there. */
  #number(tag: number, end: number): number {
    if (this.#at >= end || this.#next !== tag) return 0;
    this.#at += 1;
    return this.#varint();
  }

  /** Not a number for more than 32 bits and past the end; the definitions know what that means. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || (shift === 28 && byte > 0x0f)) return NaN;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    return NaN;
  }
}

/** False when one of them is not a number that 32 bits hold. */
function isComplete({ sessionType, messageType, sessionId, messageId }: SessionHeader): boolean {
  return !Number.isNaN(sessionType + messageType + sessionId + messageId);
}
