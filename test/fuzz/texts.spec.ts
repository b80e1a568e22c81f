import { beforeAll, describe, expect, it } from '@jest/globals';
import { formatId, loadNameHash, parseId, SlimError, SlimName } from '@nestjs-slim/core';
import fc from 'fast-check';
import { decodeBundle } from '../../libs/nestjs-slim/src/payload/bundle.js';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeDefinition,
} from '../../libs/nestjs-slim/src/payload/envelope.js';
import { decodeValue, jsonType } from '../../libs/nestjs-slim/src/payload/value.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { parseConfig } from '../../src/node/src/config/parse-config.js';
import { changed, changes, joined, outcome, runs, within } from './fuzz.js';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom('a', '/', '//', ' ', '\0', '#', '*', '-', '\ud800', 'é', '%2f'), {
      maxLength: 12,
    })
    .map((parts) => parts.join('')),
);

/** A value, or an error with that code. */
const orCode = (result: unknown, ...codes: readonly string[]): void => {
  if (typeof result !== 'string') return;
  expect(codes.some((code) => result.startsWith(`${code}: `))).toBe(true);
};

describe('names', () => {
  beforeAll(loadNameHash);

  it(
    'of any text are a name that reads back as itself, or refused',
    () => {
      fc.assert(
        fc.property(text, (input) => {
          let name: SlimName;
          try {
            name = SlimName.parse(input);
          } catch (reason) {
            expect(reason).toMatchObject({ code: 'invalid-name' });
            return;
          }
          expect(SlimName.parse(name.toString()).toString()).toBe(name.toString());
          const wire = WireName.of(name);
          // What is no Unicode is not kept; names with it never meet ones without.
          if (!/\p{Surrogate}/u.test(name.toString())) expect(wire.slimName).toStrictEqual(name);
          expect(WireName.read(wire.bytes).equals(wire)).toBe(true);
        }),
        runs(2_000),
      );
    },
    within(10),
  );

  it(
    'have ids that read back as themselves, or are refused',
    () => {
      const hex = fc.string({
        unit: fc.constantFrom(...'0123456789abcdefABCDEF-'.split('')),
        maxLength: 40,
      });
      fc.assert(
        fc.property(fc.oneof(text, hex), (input) => {
          try {
            const id = parseId(input);
            expect(parseId(formatId(id))).toBe(id);
          } catch (reason) {
            expect(reason).toMatchObject({ code: 'invalid-name' });
          }
        }),
        runs(1_000),
      );
    },
    within(10),
  );
});

describe('payloads of Nest', () => {
  const envelope = fc
    .record({
      kind: fc.nat({ max: 9 }),
      correlationId: fc.nat(),
      operation: fc.string({ maxLength: 20 }),
      deadlineMs: fc.nat(),
      metadata: fc
        .array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 })
        .map((all) => new Map(all)),
      contentType: fc.constantFrom('', jsonType, 'text/plain'),
      data: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
      last: fc.boolean(),
    })
    .map(encodeEnvelope);
  const damaged = fc.tuple(envelope, changes).map(([bytes, list]) => changed(bytes, list));

  it(
    'that were damaged are read or refused as by their definition',
    () => {
      fc.assert(
        fc.property(damaged, (bytes) => {
          const read = outcome(() => decodeEnvelope(bytes));
          expect(read).toStrictEqual(outcome(() => envelopeDefinition.decode(bytes)));
          orCode(read, 'malformed-frame');
        }),
        runs(2_000),
      );
    },
    within(10),
  );

  it(
    'in bundles are bounded by the bytes that came',
    () => {
      const bundle = fc
        .tuple(fc.array(envelope, { maxLength: 6 }), changes, fc.boolean())
        .map(([all, list, isDamaged]) => {
          const parts = all.flatMap((one) => [Uint8Array.of(0x0a, one.length & 0x7f), one]);
          return isDamaged ? changed(joined(...parts), list) : joined(...parts);
        });
      fc.assert(
        fc.property(fc.oneof(bundle, fc.uint8Array({ maxLength: 100 })), (bytes) => {
          const read = outcome(() => decodeBundle(bytes));
          orCode(read, 'malformed-frame');
          if (typeof read === 'string') return;
          const parts = read as readonly Uint8Array[];
          expect(parts.reduce((sum, one) => sum + one.length + 2, 0)).toBeLessThanOrEqual(
            bytes.length,
          );
        }),
        runs(1_000),
      );
    },
    within(10),
  );

  it(
    'in JSON pollute no prototype',
    () => {
      const data = fc.oneof(
        fc.json().map((json) => Buffer.from(json)),
        fc.uint8Array({ maxLength: 60 }),
        fc
          .constantFrom('{"__proto__":{"polluted":1}}', '[', '1e999', '"\\ud800"')
          .map((json) => Buffer.from(json)),
      );
      fc.assert(
        fc.property(
          data,
          fc.constantFrom(jsonType, '', 'text/plain', 'x/y'),
          (bytes, contentType) => {
            try {
              decodeValue({ contentType, data: bytes });
            } catch (reason) {
              expect(reason).toBeInstanceOf(SlimError);
            }
            expect({}).not.toHaveProperty('polluted');
          },
        ),
        runs(1_000),
      );
    },
    within(10),
  );
});

describe('configuration', () => {
  it(
    'of any bytes is one, or a list of what is wrong; nothing else',
    () => {
      const sources = { env: (): string => '', file: (): string => '' };
      const sample = Buffer.from(
        'services:\n  slim/0:\n    dataplane:\n      servers:\n        - endpoint: "0.0.0.0:46357"\n          tls: { insecure: true }\n',
      );
      fc.assert(
        fc.property(changes, (list) => {
          const result = parseConfig(
            Buffer.from(changed(sample, list)).toString('latin1'),
            sources,
          );
          expect(['valid', 'invalid']).toContain(result.kind);
        }),
        runs(100),
      );
    },
    within(10),
  );

  it('that refers to itself a thousand times is refused or read, in no time and no room', () => {
    const sources = { env: (): string => '', file: (): string => '' };
    const lines = ['a0: &a0 [x, x]'];
    for (let at = 1; at < 40; at += 1) {
      lines.push(`a${at}: &a${at} [*a${at - 1}, *a${at - 1}, *a${at - 1}, *a${at - 1}]`);
    }
    expect(parseConfig(lines.join('\n'), sources).kind).toBe('invalid');
    expect(parseConfig('a: &a [*a]', sources).kind).toBe('invalid');
    expect(parseConfig('['.repeat(1_000), sources).kind).toBe('invalid');
    expect(parseConfig(`${'{a: '.repeat(1_000)}`, sources).kind).toBe('invalid');
  });
});
