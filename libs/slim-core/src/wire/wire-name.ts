import { SlimError } from '../errors/slim-error.js';
import { hashComponent } from '../names/name-hash.js';
import { nameId, nullId, type NameId } from '../names/name-id.js';
import { SlimName, type NameComponents } from '../names/slim-name.js';
import { BoundedMemo } from './bounded-memo.js';
import type { ByteWriter } from './byte-writer.js';
import { NameFields } from './name-fields.js';
import { encodedNameMessage, nameMessage, type NameMessage } from './name-message.js';
import type { ProtobufReader } from './protobuf-reader.js';
import { isSameBytes } from './same-bytes.js';
import type { SubMessage } from './schema.js';

/** One for all names: whatever it reads is used up before the next name is read. */
const fields = new NameFields();
let lastSerial = 0;

/**
 * A name as it is on the wire: hashes and id, which alone are routed by, beside the strings. Immutable
 * and shared: equal names met often are the same object, whose derived forms are computed once.
 */
export class WireName {
  /** Canonical encoding of the `Name` message. Not to be written to. */
  readonly bytes: Uint8Array;
  // Kept from view, so that equal names look equal.
  readonly #serial: number = (lastSerial += 1);
  #hasText: boolean | undefined;
  #slimName: SlimName | undefined;
  #prefix: string | undefined;
  #id: NameId | undefined;
  #key: string | undefined;

  /** `bytes` is canonical, and belongs to the name. */
  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The complete wire form of a name; the NULL id is written out. Needs `loadNameHash()`. */
  static of(name: SlimName): WireName {
    const [text0, text1, text2] = name.components;
    return WireName.#from({
      encoded: {
        component0: hashComponent(text0),
        component1: hashComponent(text1),
        component2: hashComponent(text2),
        id: halves(name.id),
      },
      text: { text0, text1, text2 },
    });
  }

  /** The complete wire form of what `prefix`, `components` and `id` say of a name, without hashing anything. */
  static ofParts(prefix: string, [text0, text1, text2]: NameComponents, id: NameId): WireName {
    const [component0, component1, component2] = hashesOf(prefix);
    const encoded = { component0, component1, component2, id: halves(id) };
    return WireName.#from({ encoded, text: { text0, text1, text2 } });
  }

  /** Copies the bytes of a name. @throws SlimError `malformed-frame` */
  static read(bytes: Uint8Array): WireName {
    // The common case is canonical already, and the definition takes ten times as long to see that.
    return fields.read(bytes)
      ? new WireName(bytes.slice())
      : WireName.#from(nameMessage.decode(bytes));
  }

  static #from(value: NameMessage): WireName {
    return new WireName(nameMessage.encode(value));
  }

  /** Tells this object from all others, from 1 on. */
  get serial(): number {
    return this.#serial;
  }

  /** True when there is an encoded part; without it nothing can be routed. */
  get isRoutable(): boolean {
    return this.bytes[0] === encodedTag;
  }

  /** True when hashes and strings are there, as every message between applications has them. */
  get hasText(): boolean {
    return (this.#hasText ??= this.isRoutable && this.#fields.hasText);
  }

  /** Equal for names with the same three hashes. */
  get prefix(): string {
    return (this.#prefix ??= this.#fields.prefix);
  }

  /** The strings, read anew each time; undefined when there are none. */
  get components(): NameComponents | undefined {
    const { hasText, texts } = this.#fields;
    if (!hasText) return undefined;
    const text = (at: number): string =>
      decoder.decode(this.bytes.subarray(texts[at], texts[at + 1]));
    return [text(0), text(2), text(4)];
  }

  /** The id to route by; an absent id routes like the NULL id. */
  get id(): NameId {
    return (this.#id ??= idOf(this.#fields));
  }

  /** Equal for names whose canonical encodings are equal: hashes, id and strings. */
  get key(): string {
    return (this.#key ??= binaryText(this.bytes));
  }

  /** The name with its strings. @throws SlimError `malformed-frame` when it has none. */
  get slimName(): SlimName {
    return (this.#slimName ??= this.#toSlimName());
  }

  /** The name for messages to people. */
  get text(): string {
    return this.slimName.toString();
  }

  equals(other: WireName | undefined): boolean {
    return this === other || this.key === other?.key;
  }

  withId(id: NameId): WireName {
    const { encoded, text } = this.#value;
    return WireName.#from({
      encoded: encodedNameMessage.make({ ...encoded, id: halves(id) }),
      text,
    });
  }

  /** Writes what stands for this name in the header MAC (reference: data plane 3.5). */
  writeMacBlock(out: ByteWriter): void {
    const { hasEncoded, hasId, hasText, hashes, id, texts } = this.#fields;
    out.byte(1);
    out.byte(hasEncoded ? 1 : 0);
    if (hasEncoded) {
      out.raw(hashes);
      out.byte(hasId ? 1 : 0);
      if (hasId) out.raw(id);
    }
    out.byte(hasText ? 1 : 0);
    if (!hasText) return;
    for (let at = 0; at < texts.length; at += 2) {
      const text = this.bytes.subarray(texts[at], texts[at + 1]);
      out.uint32LittleEndian(text.length);
      out.raw(text);
    }
  }

  get #value(): NameMessage {
    return nameMessage.decode(this.bytes);
  }

  get #fields(): NameFields {
    fields.readCanonical(this.bytes);
    return fields;
  }

  #toSlimName(): SlimName {
    const { text } = this.#value;
    if (!text) throw new SlimError('malformed-frame', 'a name has no strings');
    return new SlimName([text.text0, text.text1, text.text2] satisfies NameComponents, this.id);
  }
}

/** Names seen lately, by a hash of their bytes: each is read once, and what is told apart by them once. */
const interned = new BoundedMemo<number, WireName>(16_384);
/** Longer names are read each time, so that foreign names cannot fill the memory. */
const maxInternedBytes = 1_024;

/** Reads a name from its bytes, or finds the one read before from equal bytes. */
export function internName(bytes: Uint8Array): WireName {
  return internNameIn(bytes, 0, bytes.length);
}

/** The same for bytes that lie in others, from `start` to `end`. */
export function internNameIn(bytes: Uint8Array, start: number, end: number): WireName {
  const hash = hashOf(bytes, start, end);
  const known = interned.get(hash);
  if (known && isSameBytes(known.bytes, bytes, start, end)) return known;
  const name = WireName.read(bytes.subarray(start, end));
  if (end - start <= maxInternedBytes) interned.set(hash, name);
  return name;
}

// Looked up once: where a program runs in a context of its own, as under Jest, globals are slow to reach.
const { imul } = Math;

/** FNV-1a. Names that collide push each other out, which costs time and nothing else. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}

/** The `Name` message as a field of others. */
export const wireName: SubMessage<WireName> = {
  writeTo: (name: WireName, out: ByteWriter) => out.raw(name.bytes),
  readFrom: (from: ProtobufReader) => internName(from.rest()),
};

const encodedTag = 0x0a;

const decoder = new TextDecoder();

const halves = (id: NameId) => ({ high: id >> 64n, low: BigInt.asUintN(64, id) });

const idOf = ({ hasId, high, low }: NameFields): NameId =>
  hasId ? nameId((high << 64n) | low) : nullId;

/** The hashes behind a prefix, which has four characters of 16 bits for each, the low one first. */
function hashesOf(prefix: string): readonly [bigint, bigint, bigint] {
  const hashAt = (start: number): bigint =>
    [3, 2, 1, 0].reduce((hash, at) => (hash << 16n) | BigInt(prefix.charCodeAt(start + at)), 0n);
  return [hashAt(0), hashAt(4), hashAt(8)];
}

/** Bytes as text with one character a byte: the cheapest key of a Map. */
function binaryText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(at, at + chunkBytes));
  }
  return text;
}

/** Few enough arguments for any engine. */
const chunkBytes = 4096;
