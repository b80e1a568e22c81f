import type { Crypto } from '../crypto/crypto.js';
import { ByteWriter } from '../wire/byte-writer.js';
import type { WireName } from '../wire/wire-name.js';

/** The header fields under the tag, as they are when the frame leaves. */
export interface MacFields {
  readonly source: WireName | undefined;
  readonly destination: WireName | undefined;
  /** Text, or its UTF-8 bytes. */
  readonly identity: string | Uint8Array;
  readonly fanout: number;
  readonly receivedFrom?: bigint | undefined;
  readonly forwardTo?: bigint | undefined;
  readonly error: boolean | undefined;
  readonly ttl: number;
}

/** Signs and checks the headers of one link with the key its two ends agreed on. */
export class HeaderMac {
  readonly #crypto: Crypto;
  readonly #key: Uint8Array;
  readonly #prefix: Uint8Array;
  readonly #preimage = new ByteWriter(1024);

  constructor(crypto: Crypto, linkId: string, key: Uint8Array) {
    this.#crypto = crypto;
    this.#key = key;
    const prefix = new ByteWriter();
    prefix.raw(domain);
    writeText(linkId, prefix);
    this.#prefix = prefix.finish();
  }

  /** HMAC-SHA256 over the header fields (reference: data plane 3.5). */
  tag(fields: MacFields): Uint8Array {
    return this.#crypto.hmacSha256(this.#key, this.preimage(fields));
  }

  /** False also without a tag, and for one of another length. */
  verify(fields: MacFields, tag: Uint8Array | undefined): boolean {
    return tag !== undefined && this.#crypto.equal(this.tag(fields), tag);
  }

  /** The bytes under the tag: a view that the next call overwrites. */
  preimage(fields: MacFields): Uint8Array {
    const out = this.#preimage.reset();
    out.raw(this.#prefix);
    out.raw(fields.source?.macBlock ?? absent);
    out.raw(fields.destination?.macBlock ?? absent);
    writeText(fields.identity, out);
    out.uint32LittleEndian(fields.fanout);
    writeOptional(fields.receivedFrom, out);
    writeOptional(fields.forwardTo, out);
    if (fields.error === undefined) out.byte(0);
    else {
      out.byte(1);
      out.byte(fields.error ? 1 : 0);
    }
    out.uint32LittleEndian(fields.ttl);
    return out.view();
  }
}

const domain = new TextEncoder().encode('SLIM-DP-HDR-v1\0');
const absent = Uint8Array.of(0);
const encoder = new TextEncoder();

function writeText(text: string | Uint8Array, out: ByteWriter): void {
  const utf8 = typeof text === 'string' ? encoder.encode(text) : text;
  out.uint32LittleEndian(utf8.length);
  out.raw(utf8);
}

function writeOptional(value: bigint | undefined, out: ByteWriter): void {
  out.byte(value === undefined ? 0 : 1);
  if (value !== undefined) out.uint64LittleEndian(value);
}
