import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError, type Clock, type Link, type LinkListener } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { grpcJsDialler } from './grpc-js-dialler.js';
import { listenGrpcJs } from './grpc-js-listener.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';
import { openChannelPath } from './http2-settings.js';
import type { LinkAuthenticator, LinkRequest } from './link-auth/link-auth.js';
import type { ListenerOptions } from './listener-options.js';

type Listen = (options: ListenerOptions, accept: (link: Link) => void) => Promise<LinkListener>;

const listeners: readonly (readonly [string, Listen])[] = [
  ['listenHttp2', listenHttp2],
  ['listenGrpcJs', listenGrpcJs],
];
const never = new AbortController().signal;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const rejected = () => new SlimError('identity-rejected', 'not the right word');

/** Lets in who knows the word, and tells what it was asked. */
function doorkeeper(isSlow: boolean): LinkAuthenticator & { asked: LinkRequest[] } {
  const asked: LinkRequest[] = [];
  const judge = (request: LinkRequest): void => {
    asked.push(request);
    if (request.authorization !== 'Word sesame') throw rejected();
  };
  const slow = async (request: LinkRequest): Promise<void> => {
    await new Promise(setImmediate);
    judge(request);
  };
  return { asked, authenticate: isSlow ? slow : judge, challenge: 'Word' };
}

async function start(listen: Listen, authenticator: LinkAuthenticator, clock?: Clock) {
  const links: LinkProbe[] = [];
  const refused: string[] = [];
  const listener = await listen(
    {
      ...{ host: '127.0.0.1', port: 0, authenticator },
      ...(clock && { clock }),
      onRefused: (reason, remote) => refused.push(`${reason.code} ${remote.split(':')[0]}`),
    },
    (link) => links.push(new LinkProbe(link)),
  );
  ends.push(() => listener.close());
  return { listener, links, refused };
}

const says = (authorization: string) => ({ credentials: { authorization: () => authorization } });

/** The bare answer to a request for a channel. */
async function answerOf(url: string, authorization?: string): Promise<IncomingHttpHeaders> {
  const session = connectHttp2(url).on('error', () => undefined);
  ends.push(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': openChannelPath,
    'content-type': 'application/grpc',
    ...(authorization !== undefined && { authorization }),
  });
  stream.on('error', () => undefined).resume();
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  return headers;
}

describe.each(listeners)('link authentication of %s', (_, listen) => {
  it.each([
    ['at once', false],
    ['after a while', true],
  ])('serves who it believes and refuses others, judged %s', async (_when, isSlow) => {
    const authenticator = doorkeeper(isSlow);
    const { listener, links, refused } = await start(listen, authenticator);
    for (const dialler of [http2Dialler, grpcJsDialler]) {
      const good = new LinkProbe(await dialler(listener.url, says('Word sesame')).dial(never));
      good.link.send(Uint8Array.of(1));
      await links.at(-1)?.received(1);
      for (const options of [says('Word open'), {}]) {
        const attempt = dialler(listener.url, options).dial(never);
        await expect(attempt).rejects.toMatchObject({ code: 'identity-rejected' });
      }
      expect(good.ends).toStrictEqual([]);
      await good.link.close();
    }
    expect(links).toHaveLength(2);
    expect(refused).toStrictEqual(Array(4).fill('identity-rejected 127.0.0.1'));
    expect(authenticator.asked[0]?.remote).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('bounds the time of an authenticator that does not come to an end', async () => {
    const clock = new ManualClock();
    let asked = (): void => undefined;
    const question = new Promise<void>((resolve) => (asked = resolve));
    const authenticate = (): Promise<void> => {
      asked();
      return new Promise(() => undefined);
    };
    const { listener, links, refused } = await start(listen, { authenticate }, clock);
    const attempt = http2Dialler(listener.url).dial(never);
    await question;
    clock.advance(5_000);
    await expect(attempt).rejects.toMatchObject({ code: 'link-failed' });
    expect([links.length, refused]).toStrictEqual([0, ['timeout 127.0.0.1']]);
  });

  it('does not hold a failure of its own against the client', async () => {
    const authenticate = (): never => {
      throw new TypeError('the key server is down');
    };
    const { listener, refused } = await start(listen, { authenticate });
    await expect(http2Dialler(listener.url).dial(never)).rejects.toMatchObject({
      code: 'link-failed',
    });
    expect(refused).toStrictEqual(['refused 127.0.0.1']);
  });
});

describe('link authentication over HTTP/2', () => {
  it('answers as an official node does: 401, and how to do better', async () => {
    const { listener } = await start(listenHttp2, doorkeeper(false));
    expect(await answerOf(listener.url)).toMatchObject({
      ':status': 401,
      'www-authenticate': 'Word',
    });
    const doorman = doorkeeper(false);
    const authenticate = (request: LinkRequest) => doorman.authenticate(request);
    const silent = await start(listenHttp2, { authenticate });
    expect(await answerOf(silent.listener.url)).not.toHaveProperty('www-authenticate');
  });

  it('serves the next request of a connection that was refused one', async () => {
    const { listener, links } = await start(listenHttp2, doorkeeper(true));
    const session = connectHttp2(listener.url).on('error', () => undefined);
    ends.push(() => session.destroy());
    const statuses = ['Word open', 'Word sesame'].map(async (authorization) => {
      const path = { ':method': 'POST', ':path': openChannelPath };
      const stream = session.request({ ...path, authorization }, { endStream: false });
      stream.on('error', () => undefined).resume();
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      return headers[':status'];
    });
    expect(await Promise.all(statuses)).toStrictEqual([401, 200]);
    expect(links).toHaveLength(1);
  });

  it('forgets the question when the client leaves, and makes no link of a late answer', async () => {
    const clock = new ManualClock();
    let admit = (): void => undefined;
    let asked = (): void => undefined;
    const question = new Promise<void>((resolve) => (asked = resolve));
    const authenticate = (): Promise<void> => {
      asked();
      return new Promise((resolve) => (admit = resolve));
    };
    const { listener, links } = await start(listenHttp2, { authenticate }, clock);
    const controller = new AbortController();
    const attempt = http2Dialler(listener.url).dial(controller.signal);
    await question;
    controller.abort();
    await expect(attempt).rejects.toMatchObject({ code: 'aborted' });
    await listener.close();
    admit();
    await new Promise(setImmediate);
    expect([links.length, clock.pending]).toStrictEqual([0, 0]);
  });
});
