import { describe, expect, it } from '@jest/globals';
import { SlimError } from '@nestjs-slim/core';
import { from, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { envelopeKind, type EnvelopeFields } from '../payload/envelope.js';
import { Payloads } from '../payload/payloads.js';
import { decodeValue } from '../payload/value.js';
import { SlimException } from '../slim-exception.js';
import type { ItemSource } from '../streams/pull.js';
import { ItemUpload, type ItemUploadOptions } from './item-upload.js';

const payloads = new Payloads({ codec: undefined, serializer: undefined, deserializer: undefined });

function setup(source: ItemSource, options: Partial<ItemUploadOptions> = {}) {
  const log: string[] = [];
  const publish = async (fields: EnvelopeFields): Promise<void> => {
    const { kind, sequence = '-', contentType = '', data } = fields;
    const value =
      kind === envelopeKind.error
        ? payloads.decodeError({ contentType, data })
        : decodeValue({ contentType, data });
    const name = Object.entries(envelopeKind).find(([, number]) => number === kind)?.[0];
    const text = value instanceof SlimException ? value.code : JSON.stringify(value);
    log.push([name, sequence, ...(data ? [text] : [])].join(' '));
  };
  const upload = new ItemUpload({
    source,
    encode: (item) => payloads.encodeRequest('', item),
    encodeError: (reason) => payloads.encodeError(reason),
    publish,
    failed: (reason) => log.push(`failed ${(reason as SlimError).code}`),
    ...options,
  });
  return { log, upload };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

describe('ItemUpload', () => {
  it('touches its source when there is credit, not before', async () => {
    const source = new Subject<string>();
    const { log, upload } = setup(source);
    const running = upload.run();
    expect(source.observed).toBe(false);
    upload.grant(1);
    await settled();
    expect(source.observed).toBe(true);
    source.next('a');
    source.next('b');
    await settled();
    expect(log).toStrictEqual(['item 0 "a"']);
    upload.grant(2);
    source.complete();
    await running;
    expect(log).toStrictEqual(['item 0 "a"', 'item 1 "b"', 'end 2']);
  });

  it('tells the other side how its source failed, and that is no failure of the call', async () => {
    const reason = new SlimException({ code: 'unplugged', message: 'no disk' });
    const { log, upload } = setup(throwError(() => reason));
    upload.grant(4);
    await upload.run();
    expect(log).toStrictEqual(['error - unplugged']);
  });

  it('fails when an item cannot be written, and leaves the source', async () => {
    const ends: string[] = [];
    const source = new Observable<unknown>((subscriber) => {
      subscriber.next(1n);
      return () => ends.push('unsubscribed');
    });
    const { log, upload } = setup(source);
    upload.grant(4);
    await upload.run();
    expect([ends, log]).toStrictEqual([['unsubscribed'], ['failed malformed-frame']]);
  });

  it.each(['item', 'end'] as const)('fails when an %s does not arrive', async (kind) => {
    const lost = new SlimError('not-delivered', 'nobody acknowledged it');
    const publish = async (fields: EnvelopeFields): Promise<void> => {
      if (fields.kind === envelopeKind[kind]) throw lost;
    };
    const { log, upload } = setup(of(1), { publish });
    upload.grant(4);
    await upload.run();
    await settled();
    expect(log).toContain('failed not-delivered');
  });

  it('stops before its source was touched', async () => {
    const { log, upload } = setup(of(1));
    upload.stop();
    upload.grant(4);
    await upload.run();
    expect(log).toStrictEqual([]);
  });

  it('stops while it is out of credit', async () => {
    const source = new Subject<number>();
    const { log, upload } = setup(source);
    upload.grant(1);
    const running = upload.run();
    await settled();
    source.next(1);
    await settled();
    upload.stop();
    await running;
    expect([log, source.observed]).toStrictEqual([['item 0 1'], false]);
  });

  it('stops while its source is silent', async () => {
    const { log, upload } = setup(NEVER);
    upload.grant(1);
    const running = upload.run();
    await settled();
    upload.stop();
    await running;
    expect(log).toStrictEqual([]);
  });

  it('publishes nothing that was being encoded when it was stopped', async () => {
    const { log, upload } = setup(of(1), {
      encode: async (item) => {
        upload.stop();
        return payloads.encodeRequest('', item);
      },
    });
    upload.grant(1);
    await upload.run();
    expect(log).toStrictEqual([]);
  });

  it('runs the end of a generator that is stopped at its work', async () => {
    let wake = (): void => undefined;
    const ends: string[] = [];
    const { upload } = setup(
      (async function* () {
        try {
          await new Promise<void>((resolve) => (wake = resolve));
          yield 1;
        } finally {
          ends.push('finally');
        }
      })(),
    );
    upload.grant(1);
    const running = upload.run();
    await settled();
    upload.stop();
    wake();
    await running;
    expect(ends).toStrictEqual(['finally']);
  });

  it('sends a whole source in order', async () => {
    const { log, upload } = setup(from(Array.from({ length: 500 }, (_, index) => index)));
    upload.grant(2 ** 32 - 1);
    await upload.run();
    expect(log.slice(-2)).toStrictEqual(['item 499 499', 'end 500']);
    expect(log).toHaveLength(501);
  });
});
