import { ByteWriter } from './byte-writer.js';
import { ProtobufReader, wireType } from './protobuf-reader.js';

/**
 * One field of a message: how it is written and read. The encoding is canonical: fields in the order
 * of their numbers, a scalar that holds its default left out, a sub-message written even when empty.
 * Signatures are computed over such bytes, so this is a correctness rule and not a matter of size.
 */
export interface Field<Value> {
  readonly number: number;
  readonly tag: number;
  /** The value of a field that is not on the wire. */
  absent(): Value;
  write(value: Value, tag: number, out: ByteWriter): void;
  /** Reads one occurrence; `before` is what earlier occurrences gave. */
  read(from: ProtobufReader, before: Value): Value;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F extends Fields> = {
  readonly [Key in keyof F]: F[Key] extends Field<infer Value> ? Value : never;
};

/** A protobuf message: its encoder and decoder from one definition. */
export interface MessageType<Value> {
  /** A value with every field absent but those given. */
  make(fields?: Partial<Value>): Value;
  /** Fields that are not given are absent. */
  encode(value: Partial<Value>): Uint8Array<ArrayBuffer>;
  /** @throws SlimError `malformed-frame`. Byte fields are views of `bytes`. */
  decode(bytes: Uint8Array): Value;
  writeTo(value: Partial<Value>, out: ByteWriter): void;
  readFrom(from: ProtobufReader): Value;
}

/** The value type of a message definition. */
export type Infer<Type> = Type extends MessageType<infer Value> ? Value : never;

/** Defines a message from its fields. Fields of other numbers are skipped when read. */
export function message<F extends Fields>(definition: F): MessageType<ValueOf<F>> {
  type Value = ValueOf<F>;
  const entries = Object.entries(definition).toSorted(
    ([, a], [, b]) => a.number - b.number,
  ) as (readonly [keyof Value, Field<unknown>])[];
  const byTag = new Map(entries.map((entry) => [entry[1].tag, entry]));

  // Copying one object with every field absent is the cheapest way to a new one; lists and maps, which
  // grow while they are read, are made anew.
  const absent = Object.fromEntries(entries.map(([key, field]) => [key, field.absent()]));
  const containers = entries.filter(([key, field]) => field.absent() !== absent[key as string]);
  const empty = (): Record<keyof Value, unknown> => {
    const value = { ...absent } as Record<keyof Value, unknown>;
    for (const [key, field] of containers) value[key] = field.absent();
    return value;
  };
  const make = (fields: Partial<Value> = {}): Value => {
    const value = empty();
    for (const key in fields) if (fields[key] !== undefined) value[key] = fields[key];
    return value as Value;
  };
  const writeTo = (value: Partial<Value>, out: ByteWriter): void => {
    for (const [key, field] of entries) {
      const given = value[key];
      if (given !== undefined) field.write(given, field.tag, out);
    }
  };
  const readFrom = (from: ProtobufReader): Value => {
    const value = empty();
    while (!from.done) {
      const tag = from.tag();
      const entry = byTag.get(tag);
      if (entry) value[entry[0]] = entry[1].read(from, value[entry[0]]);
      else from.skip(tag);
    }
    return value as Value;
  };
  // One writer for all: no message holds another of its own type, so it is never in use twice.
  const writer = new ByteWriter();
  return {
    make,
    writeTo,
    readFrom,
    encode: (value) => {
      writeTo(value, writer.reset());
      return writer.finish();
    },
    decode: (bytes) => readFrom(new ProtobufReader(bytes)),
  };
}

const delimitedTag = (number: number): number => number * 8 + wireType.delimited;

/** A field with one value; one that holds what stands for absence is not written. */
function single<Value, Absent>(
  number: number,
  kind: {
    readonly wireType: number;
    readonly absent: Absent;
    write(value: Value, out: ByteWriter): void;
    read(from: ProtobufReader): Value;
  },
): Field<Value | Absent> {
  return {
    number,
    tag: number * 8 + kind.wireType,
    absent: () => kind.absent,
    write: (value, tag, out) => {
      if (value === kind.absent) return;
      out.varint(tag);
      kind.write(value as Value, out);
    },
    read: (from) => kind.read(from),
  };
}

const asUint32 = {
  wireType: wireType.varint,
  write: (value: number, out: ByteWriter): void => out.varint(value),
  read: (from: ProtobufReader): number => from.uint32(),
};
const asUint64 = {
  wireType: wireType.varint,
  write: (value: bigint, out: ByteWriter): void => out.varint64(value),
  read: (from: ProtobufReader): bigint => from.varint64(),
};
const asBool = {
  wireType: wireType.varint,
  write: (value: boolean, out: ByteWriter): void => out.varint(value ? 1 : 0),
  read: (from: ProtobufReader): boolean => from.bool(),
};
const asString = {
  wireType: wireType.delimited,
  write: (value: string, out: ByteWriter): void => out.string(value),
  read: (from: ProtobufReader): string => from.string(),
};
const asBytes = {
  wireType: wireType.delimited,
  write: (value: Uint8Array, out: ByteWriter): void => out.bytes(value),
  read: (from: ProtobufReader): Uint8Array => from.bytes(),
};

/** `uint32` and enums, whose unknown numbers are kept. */
export const uint32 = (number: number): Field<number> => single(number, { ...asUint32, absent: 0 });

export const uint64 = (number: number): Field<bigint> =>
  single(number, { ...asUint64, absent: 0n });

export const bool = (number: number): Field<boolean> =>
  single(number, { ...asBool, absent: false });

export const string = (number: number): Field<string> =>
  single(number, { ...asString, absent: '' });

/** `optional uint64`: absent is not zero. */
export const optionalUint64 = (number: number): Field<bigint | undefined> =>
  single(number, { ...asUint64, absent: undefined });

/** `optional bool`: absent is not false. */
export const optionalBool = (number: number): Field<boolean | undefined> =>
  single(number, { ...asBool, absent: undefined });

/** `optional bytes`: absent is not empty. */
export const optionalBytes = (number: number): Field<Uint8Array | undefined> =>
  single(number, { ...asBytes, absent: undefined });

const noBytes = new Uint8Array(0);

export const bytes = (number: number): Field<Uint8Array> => {
  const field = single(number, { ...asBytes, absent: noBytes });
  return {
    ...field,
    write: (value, tag, out) => field.write(value.length === 0 ? noBytes : value, tag, out),
  };
};

/** What a sub-message field needs of its type; a message definition has it, a name too. */
export type SubMessage<Value> = Pick<MessageType<Value>, 'writeTo' | 'readFrom'>;

export const sub = <Value>(number: number, type: SubMessage<Value>): Field<Value | undefined> => ({
  number,
  tag: delimitedTag(number),
  absent: () => undefined,
  write: (value, tag, out) => {
    if (value === undefined) return;
    out.varint(tag);
    out.delimited(() => type.writeTo(value, out));
  },
  read: (from) => type.readFrom(from.message()),
});

export const repeated = <Value>(
  number: number,
  type: SubMessage<Value>,
): Field<readonly Value[]> => ({
  number,
  tag: delimitedTag(number),
  absent: () => [],
  write: (values, tag, out) => {
    for (const value of values) {
      out.varint(tag);
      out.delimited(() => type.writeTo(value, out));
    }
  },
  // Into the list that `absent` made: a copy for each entry would take a peer's long list forever.
  read: (from, before) => {
    (before as Value[]).push(type.readFrom(from.message()));
    return before;
  },
});

/** `repeated bytes`. */
export const repeatedBytes = (number: number): Field<readonly Uint8Array[]> =>
  repeated(number, {
    writeTo: (value: Uint8Array, out: ByteWriter) => out.raw(value),
    readFrom: (from: ProtobufReader) => from.rest(),
  });

/** Text by text, in the order it was set. */
export type TextMap = ReadonlyMap<string, string>;

const noText: TextMap = new Map();

/** `map<string, string>`. */
export const textMap = (number: number): Field<TextMap> => ({
  number,
  tag: delimitedTag(number),
  absent: () => noText,
  write: (map, tag, out) => {
    for (const [key, value] of map) {
      out.varint(tag);
      out.delimited(() => {
        // Entries carry both fields even when empty, as every generated encoder writes them.
        out.varint(delimitedTag(1));
        out.string(key);
        out.varint(delimitedTag(2));
        out.string(value);
      });
    }
  },
  read: (from, before) => {
    const { key, value } = mapEntry.readFrom(from.message());
    // The shared empty map stays empty; one made for this message grows without copies.
    const map = before === noText ? new Map<string, string>() : (before as Map<string, string>);
    return map.set(key, value);
  },
});

const mapEntry = message({ key: string(1), value: string(2) });
