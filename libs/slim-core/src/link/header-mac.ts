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
  readonly #remembered: { readonly fields: MacFields; readonly tag: Uint8Array }[] = [];
  #oldest = 0;

  constructor(crypto: Crypto, linkId: string, key: Uint8Array) {
    this.#crypto = crypto;
    this.#key = key;
    const prefix = new ByteWriter();
    prefix.raw(domain);
    writeText(linkId, prefix);
    this.#prefix = prefix.finish();
  }

  /**
   * HMAC-SHA256 over the header fields (reference: data plane 3.5), not to be written to. Neither session
   * nor message is under the tag, so the messages of one sender to one receiver share it for as long as
   * the token stays the same; the last tags are remembered (bench case `one-way`).
   */
  tag(fields: MacFields): Uint8Array {
    for (const known of this.#remembered) if (isSame(known.fields, fields)) return known.tag;
    const tag = this.#crypto.hmacSha256(this.#key, this.preimage(fields));
    this.#remembered[this.#oldest] = { fields: copyOf(fields), tag };
    this.#oldest = (this.#oldest + 1) % maxRemembered;
    return tag;
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

const maxRemembered = 8;

/** Just these fields, without hold on the frame they came from. */
function copyOf(fields: MacFields): MacFields {
  const { source, destination, fanout, receivedFrom, forwardTo, error, ttl } = fields;
  const identity = typeof fields.identity === 'string' ? fields.identity : fields.identity.slice();
  return { source, destination, identity, fanout, receivedFrom, forwardTo, error, ttl };
}

function isSame(a: MacFields, b: MacFields): boolean {
  return (
    a.source === b.source &&
    a.destination === b.destination &&
    a.fanout === b.fanout &&
    a.ttl === b.ttl &&
    a.error === b.error &&
    a.receivedFrom === b.receivedFrom &&
    a.forwardTo === b.forwardTo &&
    isSameIdentity(a.identity, b.identity)
  );
}

function isSameIdentity(a: string | Uint8Array, b: string | Uint8Array): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  if (a.length !== b.length) return false;
  // Tokens of one sender differ in their second half.
  for (let at = a.length - 1; at >= 0; at -= 1) if (a[at] !== b[at]) return false;
  return true;
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
