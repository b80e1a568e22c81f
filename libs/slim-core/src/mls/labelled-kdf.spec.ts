import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { hkdfExpand } from '../crypto/hkdf-expand.js';
import { label, LabelledKdf } from './labelled-kdf.js';
import { TlsWriter } from './tls-writer.js';

function expected(
  text: string,
  { secret, context, length }: { secret: Uint8Array; context: Uint8Array; length: number },
): Uint8Array {
  const info = new TlsWriter().uint16(length).opaque(label(text)).opaque(context).finish();
  return Uint8Array.from(hkdfExpand(nodeCrypto, secret, info, length));
}

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

describe('LabelledKdf', () => {
  it('is HKDF-Expand with a label, however often it is asked', () => {
    const kdf = new LabelledKdf('nonce', 12, 32);
    fc.assert(
      fc.property(bytes(32), bytes(32), (secret, context) => {
        const output = Uint8Array.from(kdf.expand(nodeCrypto, secret, context));
        expect(output).toStrictEqual(expected('nonce', { secret, context, length: 12 }));
      }),
    );
  });

  it('takes a number as context, in network order', () => {
    const kdf = new LabelledKdf('secret', 32, 4);
    fc.assert(
      fc.property(bytes(32), fc.nat({ max: 2 ** 32 - 1 }), (secret, generation) => {
        const context = new TlsWriter().uint32(generation).finish();
        const output = Uint8Array.from(kdf.derive(nodeCrypto, secret, generation));
        expect(output).toStrictEqual(expected('secret', { secret, context, length: 32 }));
      }),
    );
  });
});
