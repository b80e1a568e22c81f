import type { Crypto } from '../crypto/crypto.js';
import { BoundedMemo } from '../wire/bounded-memo.js';
import { ByteWriter } from '../wire/byte-writer.js';
import { isSameBytes } from '../wire/same-bytes.js';
import type { TagMemo } from '../wire/tag-memo.js';
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
  /** Of fields that come again and do not change. */
  readonly memo?: TagMemo | undefined;
}

/** A tag that was made, with all that it depends on. */
interface Known {
  readonly mac: number;
  readonly source: number;
  readonly destination: number;
  readonly identity: string | Uint8Array;
  readonly fanout: number;
  readonly receivedFrom: bigint | undefined;
  readonly forwardTo: bigint | undefined;
  readonly error: boolean | undefined;
  readonly ttl: number;
  readonly tag: Uint8Array;
}

/** Shared by all links, so that a node of many has the room where the traffic is. */
const known = new BoundedMemo<number, Known>(32_768);
/** Tags over longer ones are made each time, so that strangers cannot fill the memory with their tokens. */
const maxIdentityLength = 4_096;
let lastSerial = 0;

/** Signs and checks the headers of one link with the key its two ends agreed on. */
export class HeaderMac {
  readonly #crypto: Crypto;
  readonly #key: Uint8Array;
  readonly #prefix: Uint8Array;
  readonly #serial: number = (lastSerial += 1);
  #identity: string | Uint8Array = '';

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
   * the token stays the same; the last tags are remembered (bench cases `one-way`, `node forwarding`).
   */
  tag(fields: MacFields): Uint8Array {
    const { memo } = fields;
    const made = memo?.tagBy(this);
    if (made) return made;
    const tag = this.#tagOf(fields);
    memo?.keep(this, tag);
    return tag;
  }

  #tagOf(fields: MacFields): Uint8Array {
    const hash = this.#hashOf(fields);
    const before = known.get(hash);
    if (before && this.#isOf(before, fields)) return before.tag;
    return this.#remember(hash, fields, this.#hmac(fields));
  }

  /** False also without a tag, and for one of another length. Only what matched is remembered. */
  verify(fields: MacFields, tag: Uint8Array | undefined): boolean {
    if (tag === undefined) return false;
    const { memo } = fields;
    if (memo?.tagBy(this) === tag) return true;
    if (!this.#isTagOf(fields, tag)) return false;
    memo?.keep(this, tag);
    return true;
  }

  #isTagOf(fields: MacFields, tag: Uint8Array): boolean {
    const hash = this.#hashOf(fields);
    const before = known.get(hash);
    if (before && this.#isOf(before, fields)) return this.#crypto.equal(before.tag, tag);
    const made = this.#hmac(fields);
    if (!this.#crypto.equal(made, tag)) return false;
    this.#remember(hash, fields, made);
    return true;
  }

  /** The same for headers that come once, which are not remembered. */
  verifyOnce(fields: MacFields, tag: Uint8Array | undefined): boolean {
    return tag !== undefined && this.#crypto.equal(this.#hmac(fields), tag);
  }

  /** The bytes under the tag: a view that the next call for any link overwrites. */
  preimage(fields: MacFields): Uint8Array {
    const out = preimages.reset();
    out.raw(this.#prefix);
    writeName(fields.source, out);
    writeName(fields.destination, out);
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

  #hmac(fields: MacFields): Uint8Array {
    return this.#crypto.hmacSha256(this.#key, this.preimage(fields));
  }

  /** Of what tells headers of a link apart. Those that collide push each other out, which costs time only. */
  #hashOf({ source, destination, fanout, ttl }: MacFields): number {
    let hash = this.#serial;
    hash = mixed(hash, serialOf(source));
    hash = mixed(hash, serialOf(destination));
    return mixed(hash, fanout ^ (ttl << 16));
  }

  /** Names are compared by object: equal ones that are two objects only cost a tag made twice. */
  #isOf(before: Known, fields: MacFields): boolean {
    return (
      before.mac === this.#serial &&
      before.source === serialOf(fields.source) &&
      before.destination === serialOf(fields.destination) &&
      before.fanout === fields.fanout &&
      before.ttl === fields.ttl &&
      before.error === fields.error &&
      before.receivedFrom === fields.receivedFrom &&
      before.forwardTo === fields.forwardTo &&
      isSameIdentity(before.identity, fields.identity)
    );
  }

  /** Without hold on the frame that the fields came from, or on the names. Returns the tag as it is kept. */
  #remember(hash: number, fields: MacFields, made: Uint8Array): Uint8Array {
    // A copy, because short ones of our own take the least memory.
    const tag = made.slice();
    const { fanout, receivedFrom, forwardTo, error, ttl, identity } = fields;
    if (identity.length > maxIdentityLength) return tag;
    if (!isSameIdentity(this.#identity, identity)) {
      this.#identity = typeof identity === 'string' ? identity : identity.slice();
    }
    known.set(hash, {
      mac: this.#serial,
      source: serialOf(fields.source),
      destination: serialOf(fields.destination),
      identity: this.#identity,
      ...{ fanout, receivedFrom, forwardTo, error, ttl, tag },
    });
    return tag;
  }
}

/** One for all links: they make one tag at a time. */
const preimages = new ByteWriter(1024);

const serialOf = (name: WireName | undefined): number => name?.serial ?? 0;

// Looked up once: where a program runs in a context of its own, as under Jest, globals are slow to reach.
const { imul } = Math;

function mixed(hash: number, value: number): number {
  const mix = imul(hash ^ value, 0x9e37_79b1);
  return mix ^ (mix >>> 15);
}

function isSameIdentity(a: string | Uint8Array, b: string | Uint8Array): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return isSameBytes(a, b);
}

const domain = new TextEncoder().encode('SLIM-DP-HDR-v1\0');
const encoder = new TextEncoder();

function writeName(name: WireName | undefined, out: ByteWriter): void {
  if (name) name.writeMacBlock(out);
  else out.byte(0);
}

function writeText(text: string | Uint8Array, out: ByteWriter): void {
  const utf8 = typeof text === 'string' ? encoder.encode(text) : text;
  out.uint32LittleEndian(utf8.length);
  out.raw(utf8);
}

function writeOptional(value: bigint | undefined, out: ByteWriter): void {
  out.byte(value === undefined ? 0 : 1);
  if (value !== undefined) out.uint64LittleEndian(value);
}
