import { once } from 'node:events';
import { createServer as createHttp1Server } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError, type LinkDialler } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { listenOnLoopback } from '../../../test/support/loopback-server.js';
import type { DiallerOptions } from './dialler-options.js';
import { grpcJsDialler } from './grpc-js-dialler.js';
import { http2Dialler } from './http2-dialler.js';
import type { LinkCredentials } from './link-auth/link-auth.js';

type MakeDialler = (url: string, options?: DiallerOptions) => LinkDialler;

/** Credentials that are different each time. */
function changing(prefix: string): LinkCredentials {
  let dials = 0;
  return { authorization: () => `${prefix} ${++dials}` };
}

const diallers: readonly (readonly [string, MakeDialler])[] = [
  ['http2Dialler', http2Dialler],
  ['grpcJsDialler', grpcJsDialler],
];
const never = new AbortController().signal;
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** Listens on a free port; after the test every socket must be closed, ours first. */
async function start(server: Server): Promise<string> {
  const { port, close } = await listenOnLoopback(server);
  ends.push(close);
  return `http://127.0.0.1:${port}`;
}

function startHttp2(answer: (stream: ServerHttp2Stream) => void): Promise<string> {
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  return start(server);
}

describe.each(diallers)('%s', (_, makeDialler) => {
  it('refuses a URL it cannot dial', () => {
    expect(() => makeDialler('127.0.0.1:46357')).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
  });

  it('tells where it dials', () => {
    expect(makeDialler('http://127.0.0.1:1').target).toBe('http://127.0.0.1:1');
  });

  it.each(['http://127.0.0.1:1', 'http://localhost:1'])(
    'fails with the target and the cause when nobody listens on %s',
    async (url) => {
      await expect(makeDialler(url).dial(never)).rejects.toMatchObject({
        code: 'link-failed',
        message: expect.stringMatching(`^${url}: .*ECONNREFUSED`),
        cause: expect.anything(),
      });
    },
  );

  it('names the HTTP status of a server that refuses the credentials', async () => {
    const url = await startHttp2((stream) => {
      stream.respond({ ':status': 401, 'www-authenticate': 'Basic' });
      stream.end('who are you?');
    });
    await expect(makeDialler(url).dial(never)).rejects.toMatchObject({
      code: 'identity-rejected',
      message: expect.stringContaining('401'),
    });
  });

  it('names the status and the message of a server that refuses the call', async () => {
    const url = await startHttp2((stream) => {
      const status = { 'grpc-status': 7, 'grpc-message': 'same%20node_id' };
      const headers = { ':status': 200, 'content-type': 'application/grpc', ...status };
      stream.respond(headers, { endStream: true });
    });
    await expect(makeDialler(url).dial(never)).rejects.toMatchObject({
      code: 'link-failed',
      message: `${url}: gRPC status 7: same node_id`,
    });
  });

  it('does not take a web page for a link', async () => {
    const url = await startHttp2((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' });
      stream.end('<h1>It works</h1>');
    });
    await expect(makeDialler(url).dial(never)).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('fails when the stream is reset instead of answered', async () => {
    const url = await startHttp2((stream) => stream.close(7));
    await expect(makeDialler(url).dial(never)).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('fails on a server that speaks HTTP/1', async () => {
    const url = await start(createHttp1Server((_request, response) => response.end('hello')));
    await expect(makeDialler(url).dial(never)).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('fails on a server that hangs up', async () => {
    const url = await start(createTcpServer((socket) => socket.destroy()));
    await expect(makeDialler(url).dial(never)).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('does not dial for a signal that has fired', async () => {
    const reason = new Error('changed my mind');
    const attempt = makeDialler('http://127.0.0.1:1').dial(AbortSignal.abort(reason));
    await expect(attempt).rejects.toMatchObject({ code: 'aborted', cause: reason });
  });

  it('gives up a server that says nothing when the signal fires', async () => {
    const server = createTcpServer();
    const url = await start(server);
    const controller = new AbortController();
    const attempt = makeDialler(url).dial(controller.signal);
    const [socket] = (await once(server, 'connection')) as [Socket];
    controller.abort();
    await expect(attempt).rejects.toMatchObject({ code: 'aborted' });
    // grpc-js keeps connecting for as long as the server lets it.
    socket.destroy();
  });

  it('gives up an answer that does not come when the signal fires', async () => {
    const controller = new AbortController();
    const url = await startHttp2(() => controller.abort());
    await expect(makeDialler(url).dial(controller.signal)).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  it('asks for the channel and sends the headers it was given', async () => {
    let headers = {};
    const server = createHttp2Server();
    server.on('stream', (stream, received) => {
      headers = received;
      stream.respond({ ':status': 403 }, { endStream: true });
    });
    const url = await start(server);
    const attempt = makeDialler(url, { headers: { authorization: 'Bearer abc' } }).dial(never);
    await expect(attempt).rejects.toMatchObject({
      code: 'identity-rejected',
      message: expect.stringContaining('403'),
    });
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': url.slice('http://'.length),
      ':path': '/dataplane.proto.v1.DataPlaneService/OpenChannel',
      te: 'trailers',
      'content-type': 'application/grpc',
      authorization: 'Bearer abc',
    });
  });

  it('asks its credentials anew at each dial', async () => {
    const seen: unknown[] = [];
    const server = createHttp2Server();
    server.on('stream', (stream, { authorization }) => {
      seen.push(authorization);
      stream.respond({ ':status': 401 }, { endStream: true });
    });
    const dialler = makeDialler(await start(server), { credentials: changing('Bearer') });
    for (let count = 0; count < 2; count += 1) {
      await expect(dialler.dial(never)).rejects.toMatchObject({ code: 'identity-rejected' });
    }
    expect(seen).toStrictEqual(['Bearer 1', 'Bearer 2']);
  });

  it('does not show credentials that no header can carry', async () => {
    const credentials = { authorization: () => 'Bearer top-secret\n' };
    const failure: unknown = await makeDialler('http://127.0.0.1:1', { credentials })
      .dial(never)
      .catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code: 'invalid-config' });
    expect(inspect(failure)).not.toContain('top-secret');
  });

  it('passes on why there are no credentials', async () => {
    const credentials = {
      authorization: () => Promise.reject(new SlimError('identity-rejected', 'the token is old')),
    };
    const dialler = makeDialler('http://127.0.0.1:1', { credentials });
    await expect(dialler.dial(never)).rejects.toMatchObject({
      code: 'identity-rejected',
      message: 'http://127.0.0.1:1: the token is old',
    });
  });

  it('does not wait for credentials when the signal fires', async () => {
    const controller = new AbortController();
    const credentials = { authorization: () => new Promise<string>(() => controller.abort()) };
    const attempt = makeDialler('http://127.0.0.1:1', { credentials }).dial(controller.signal);
    await expect(attempt).rejects.toMatchObject({ code: 'aborted' });
  });

  it('gives up a node that takes the connection and says nothing', async () => {
    const clock = new ManualClock();
    const server = createTcpServer((socket) => socket.resume().on('error', () => undefined));
    const url = await start(server);
    const attempt = makeDialler(url, { clock, connectTimeoutMs: 3_000 }).dial(never);
    const [socket] = (await once(server, 'connection')) as [Socket];
    clock.advance(3_000);
    await expect(attempt).rejects.toMatchObject({
      code: 'link-failed',
      message: `${url}: no answer within 3000 ms`,
    });
    expect(clock.pending).toBe(0);
    socket.destroy();
  });

  it('names the host that it is told to', async () => {
    let authority: string | undefined;
    const server = createHttp2Server();
    server.on('stream', (stream, headers) => {
      authority = headers[':authority'];
      stream.respond({ ':status': 403 }, { endStream: true });
    });
    const dialler = makeDialler(await start(server), { origin: 'node.example:1' });
    await expect(dialler.dial(never)).rejects.toMatchObject({ code: 'identity-rejected' });
    expect(authority).toBe('node.example:1');
  });

  it('gives no link in clear to whoever asks for encryption', () => {
    expect(() => makeDialler('http://127.0.0.1:1', { tls: {} })).toThrow(
      'tls is given for http://127.0.0.1:1, which does not encrypt',
    );
  });

  it('refuses numbers that cannot be meant', () => {
    expect(() => makeDialler('http://127.0.0.1:1', { connectTimeoutMs: 0 })).toThrow(
      'expected connectTimeoutMs between 1 and 2147483647, got 0',
    );
  });
});

describe('http2Dialler', () => {
  it('leaves no socket behind when it gives up', async () => {
    const server = createTcpServer((socket) => socket.resume().on('error', () => undefined));
    const url = await start(server);
    const controller = new AbortController();
    const attempt = http2Dialler(url).dial(controller.signal);
    await once(server, 'connection');
    controller.abort();
    await expect(attempt).rejects.toMatchObject({ code: 'aborted' });
  });

  it('refuses a certificate it cannot read', async () => {
    const dialler = http2Dialler('https://127.0.0.1:1', { tls: { ca: 'x', cert: 'y', key: 'z' } });
    await expect(dialler.dial(never)).rejects.toMatchObject({ code: 'invalid-config' });
  });
});

describe('grpcJsDialler', () => {
  it('refuses headers that are none', async () => {
    const dialler = grpcJsDialler('http://127.0.0.1:1', { headers: { 'not a header': 'x' } });
    await expect(dialler.dial(never)).rejects.toMatchObject({ code: 'invalid-config' });
  });
});
