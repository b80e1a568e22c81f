import { SlimError } from '../errors/slim-error.js';
import { hashComponent } from '../names/name-hash.js';
import { nameId, nullId, type NameId } from '../names/name-id.js';
import { SlimName, type NameComponents } from '../names/slim-name.js';
import { ByteWriter } from './byte-writer.js';
import type { ProtobufReader } from './protobuf-reader.js';
import { message, string, sub, uint64, type Infer, type SubMessage } from './schema.js';

// message NameId      { uint64 id_0 = 1 (high half); uint64 id_1 = 2; }
// message EncodedName { uint64 component_0 = 1; component_1 = 2; component_2 = 3; NameId name_id = 4; }
// message StringName  { string str_component_0 = 1; str_component_1 = 2; str_component_2 = 3; }
// message Name        { EncodedName name = 1; StringName str_name = 2; }
const nameIdType = message({ high: uint64(1), low: uint64(2) });
const encodedNameType = message({
  component0: uint64(1),
  component1: uint64(2),
  component2: uint64(3),
  id: sub(4, nameIdType),
});
const stringNameType = message({ text0: string(1), text1: string(2), text2: string(3) });
const nameType = message({ encoded: sub(1, encodedNameType), text: sub(2, stringNameType) });

/**
 * A name as it is on the wire: hashes and id, which alone are routed by, beside the strings. Immutable
 * and shared: equal names met often are the same object, whose derived forms are computed once.
 */
export class WireName {
  readonly #value: Infer<typeof nameType>;
  #bytes: Uint8Array | undefined;
  #macBlock: Uint8Array | undefined;
  #slimName: SlimName | undefined;
  #prefix: string | undefined;
  #id: NameId | undefined;
  #key: string | undefined;

  constructor(value: Infer<typeof nameType>) {
    this.#value = value;
  }

  /** The complete wire form of a name; the NULL id is written out. Needs `loadNameHash()`. */
  static of(name: SlimName): WireName {
    const [text0, text1, text2] = name.components;
    return new WireName({
      encoded: {
        component0: hashComponent(text0),
        component1: hashComponent(text1),
        component2: hashComponent(text2),
        id: halves(name.id),
      },
      text: { text0, text1, text2 },
    });
  }

  /** Canonical encoding of the `Name` message. Not to be written to. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= nameType.encode(this.#value));
  }

  /** The bytes that stand for this name in the header MAC (reference: data plane 3.5). */
  get macBlock(): Uint8Array {
    return (this.#macBlock ??= macBlock(this.#value));
  }

  /** True when there is an encoded part; without it nothing can be routed. */
  get isRoutable(): boolean {
    return this.#value.encoded !== undefined;
  }

  /** True when hashes and strings are there, as every message between applications has them. */
  get hasText(): boolean {
    return this.isRoutable && this.#value.text !== undefined;
  }

  /** Equal for names with the same three hashes. */
  get prefix(): string {
    return (this.#prefix ??= prefixOf(this.#value));
  }

  /** The id to route by; an absent id routes like the NULL id. */
  get id(): NameId {
    return (this.#id ??= idOf(this.#value));
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
    const encoded = encodedNameType.make({ ...this.#value.encoded, id: halves(id) });
    return new WireName({ ...this.#value, encoded });
  }

  #toSlimName(): SlimName {
    const text = this.#value.text;
    if (!text) throw new SlimError('malformed-frame', 'a name has no strings');
    return new SlimName([text.text0, text.text1, text.text2] satisfies NameComponents, this.id);
  }
}

/** Names seen lately, by a hash of their bytes, so that each is decoded and prepared for the MAC once. */
const interned = new Map<number, WireName>();
const maxInterned = 8192;

/** Reads a name from its bytes, or finds the one read before from equal bytes. */
export function internName(bytes: Uint8Array): WireName {
  const hash = hashOf(bytes);
  const known = interned.get(hash);
  if (known && isSame(known.bytes, bytes)) return known;
  const name = new WireName(nameType.decode(bytes));
  // Starting over is cheap and bounds the memory that foreign names can take.
  if (interned.size >= maxInterned) interned.clear();
  interned.set(hash, name);
  return name;
}

// Looked up once: where a program runs in a context of its own, as under Jest, globals are slow to reach.
const { imul } = Math;

/** FNV-1a. Names that collide push each other out, which costs time and nothing else. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at += 1) hash = imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/** The `Name` message as a field of others. */
export const wireName: SubMessage<WireName> = {
  writeTo: (name: WireName, out: ByteWriter) => out.raw(name.bytes),
  readFrom: (from: ProtobufReader) => internName(from.rest()),
};

const halves = (id: NameId) => ({ high: id >> 64n, low: BigInt.asUintN(64, id) });

function idOf({ encoded }: Infer<typeof nameType>): NameId {
  const id = encoded?.id;
  return id === undefined ? nullId : nameId((id.high << 64n) | id.low);
}

function prefixOf({ encoded }: Infer<typeof nameType>): string {
  if (!encoded) return '';
  const { component0, component1, component2 } = encoded;
  return `${component0.toString(36)}.${component1.toString(36)}.${component2.toString(36)}`;
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

function macBlock({ encoded, text }: Infer<typeof nameType>): Uint8Array {
  const out = new ByteWriter(128);
  out.byte(1);
  out.byte(encoded ? 1 : 0);
  if (encoded) {
    out.uint64LittleEndian(encoded.component0);
    out.uint64LittleEndian(encoded.component1);
    out.uint64LittleEndian(encoded.component2);
    out.byte(encoded.id ? 1 : 0);
    if (encoded.id) {
      out.uint64LittleEndian(encoded.id.high);
      out.uint64LittleEndian(encoded.id.low);
    }
  }
  out.byte(text ? 1 : 0);
  if (text) {
    for (const part of [text.text0, text.text1, text.text2]) {
      const utf8 = new TextEncoder().encode(part);
      out.uint32LittleEndian(utf8.length);
      out.raw(utf8);
    }
  }
  return out.finish();
}
