import { describe, expect, it } from '@jest/globals';
import { HeaderMac } from '../../libs/slim-core/src/link/header-mac.js';
import { frame, type Frame } from '../../libs/slim-core/src/wire/frame.js';
import {
  forwardPublish,
  isPublish,
  viewPublish,
} from '../../libs/slim-core/src/wire/publish-view.js';
import { nodeCrypto } from '../../libs/slim-platform-node/src/node-crypto.js';
import { allFrames, fromHex, readFrameVector, toHex } from '../support/vectors.js';
import { inFull, toProtoJson } from './proto-json.js';

const publishes = allFrames().filter(({ bytes }) => isPublish(bytes));

/** The message with what concerns one hop replaced. */
function withHop(message: Frame, ttl: number, headerMac: Uint8Array | undefined): unknown {
  const { publish } = message;
  const header = publish?.header && {
    ...publish.header,
    ttl,
    headerMac,
    incomingConnection: undefined,
    receivedFrom: undefined,
    forwardTo: undefined,
  };
  return toProtoJson({ ...message, publish: publish && { ...publish, header } }, inFull);
}

describe('forwardPublish', () => {
  const tag = new Uint8Array(32).fill(7);

  it.each(publishes)('changes only what concerns one hop: $title', ({ bytes }) => {
    const forwarded = forwardPublish(viewPublish(bytes), 5, tag);
    expect(toProtoJson(frame.decode(forwarded), inFull)).toStrictEqual(
      withHop(frame.decode(bytes), 5, tag),
    );
  });

  it.each(publishes)('leaves the tag out where a link has no key: $title', ({ bytes }) => {
    const forwarded = forwardPublish(viewPublish(bytes), 300, undefined);
    expect(toProtoJson(frame.decode(forwarded), inFull)).toStrictEqual(
      withHop(frame.decode(bytes), 300, undefined),
    );
  });

  it('gives the tag that a native node gave the same publish', () => {
    const view = viewPublish(fromHex(readFrameVector('node-03-publish-in').hex));
    const out = readFrameVector('node-04-publish-out');
    const mac = new HeaderMac(
      nodeCrypto,
      out.link?.link_id ?? '',
      fromHex(out.link?.mac_key ?? ''),
    );
    const { source, destination, identity, fanout, error } = view.header;
    const tagOut = mac.tag({ source, destination, identity, fanout, error, ttl: 7 });
    expect(toHex(tagOut)).toBe('eab20c449acd086f8eaacf1ba1eacec0bdaf88b09f72981b0abfac2d96953b02');

    const forwarded = frame.decode(forwardPublish(view, 7, tagOut));
    const native = frame.decode(fromHex(out.hex));
    expect(withHop(forwarded, 7, tagOut)).toStrictEqual(withHop(native, 7, tagOut));
  });
});
