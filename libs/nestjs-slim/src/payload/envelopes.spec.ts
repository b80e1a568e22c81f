import { describe, expect, it } from '@jest/globals';
import {
  SlimError,
  type PublishOptions,
  type Session,
  type SessionMessage,
} from '@nestjs-slim/core';
import { bundlePayloadType } from './bundle.js';
import { encodeEnvelope, envelopeKind, envelopePayloadType } from './envelope.js';
import { Envelopes } from './envelopes.js';

interface Published {
  readonly payload: Uint8Array;
  readonly payloadType: string;
}

/** Two ends; what one publishes is kept until it is handed to the other. */
function setup({ failure }: { failure?: SlimError } = {}) {
  const published: Published[] = [];
  const dropped: string[] = [];
  const failed: unknown[] = [];
  const publish = async (payload: Uint8Array, options: PublishOptions = {}): Promise<void> => {
    published.push({ payload, payloadType: options.payloadType ?? '' });
    if (failure) throw failure;
  };
  const envelopes = new Envelopes({ publish } as Session, {
    dropped: ({ code }) => dropped.push(code),
    failed: (reason) => failed.push(reason),
  });
  const read = ({ payload, payloadType }: Published): number[] | undefined => {
    const ids: number[] = [];
    const message = { payload, payloadType } as SessionMessage;
    const isOurs = envelopes.read(message, ({ correlationId }) => ids.push(correlationId));
    return isOurs ? ids : undefined;
  };
  return { envelopes, published, dropped, failed, read };
}

const item = (correlationId: number, data?: Uint8Array) => ({
  kind: envelopeKind.item,
  correlationId,
  data,
});

/** Ends that read bundles, as one knows once the other said anything. */
function setupBundling(options = {}) {
  const ends = setup(options);
  ends.read({ payload: encodeEnvelope({ bundles: true }), payloadType: envelopePayloadType });
  return ends;
}

const typesOf = (published: readonly Published[]): string[] =>
  published.map(({ payloadType }) => payloadType);

describe('Envelopes', () => {
  it('go one by one until the other side says that it reads bundles', async () => {
    const { envelopes, published, read } = setup();
    await Promise.all([envelopes.send(item(1)), envelopes.send(item(2))]);
    expect(typesOf(published)).toStrictEqual([envelopePayloadType, envelopePayloadType]);
    expect(published.flatMap(read)).toStrictEqual([1, 2]);
  });

  it('go together when they are sent in one turn, in their order', async () => {
    const { envelopes, published, read } = setupBundling();
    const sent = [1, 2, 3].map((id) => envelopes.send(item(id)));
    await Promise.all(sent);
    expect(typesOf(published)).toStrictEqual([bundlePayloadType]);
    expect(published.flatMap(read)).toStrictEqual([1, 2, 3]);
  });

  it('go together with those that follow from them in the same turn', async () => {
    const { envelopes, published } = setupBundling();
    const first = envelopes.send(item(1));
    const later = Promise.resolve().then(() => envelopes.send(item(2)));
    await Promise.all([first, later]);
    expect(typesOf(published)).toStrictEqual([bundlePayloadType]);
  });

  it('goes as itself when it is alone', async () => {
    const { envelopes, published, read } = setupBundling();
    await envelopes.send(item(7));
    expect(typesOf(published)).toStrictEqual([envelopePayloadType]);
    expect(published.flatMap(read)).toStrictEqual([7]);
  });

  it('go in bundles of a bounded size, and what is large goes without company', async () => {
    const { envelopes, published, read } = setupBundling();
    const large = new Uint8Array(100_000);
    const sizes = [undefined, large, undefined];
    await Promise.all(sizes.map((data, id) => envelopes.send(item(id, data))));
    expect(typesOf(published)).toStrictEqual(Array(3).fill(envelopePayloadType));
    published.length = 0;
    const ids = Array.from({ length: 200 }, (_, id) => id);
    await Promise.all(ids.map((id) => envelopes.send(item(id))));
    expect(published.flatMap(read)).toStrictEqual(ids);
    expect(published.length).toBeGreaterThan(1);
  });

  it('fail together, and the owner hears of it first', async () => {
    const failure = new SlimError('not-delivered', 'nobody is there');
    const { envelopes, failed } = setupBundling({ failure });
    const heard: unknown[] = [];
    const sent = [1, 2].map((id) => envelopes.send(item(id)).catch(() => heard.push(...failed)));
    await Promise.all(sent);
    expect(failed).toStrictEqual([failure]);
    expect(heard).toStrictEqual([failure, failure]);
  });

  it('that cannot be read are dropped, and those beside them are not', () => {
    const { dropped, read } = setup();
    const bad = new Uint8Array([0x0a, 1, 0xff]);
    const good = encodeEnvelope({ correlationId: 5 });
    const payload = new Uint8Array([...bad, 0x0a, good.length, ...good]);
    expect(read({ payload, payloadType: bundlePayloadType })).toStrictEqual([5]);
    expect(dropped).toStrictEqual(['malformed-frame']);
  });

  it('that are no bundle are dropped', () => {
    const { dropped, read } = setup();
    const payload = new Uint8Array([0x0a, 9]);
    expect(read({ payload, payloadType: bundlePayloadType })).toStrictEqual([]);
    expect(dropped).toStrictEqual(['malformed-frame']);
  });

  it('are not what another kind of message holds', () => {
    expect(setup().read({ payload: new Uint8Array(), payloadType: 'msg' })).toBeUndefined();
  });
});
