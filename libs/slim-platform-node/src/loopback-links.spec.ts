import type { Link, LinkDialler, LinkListener } from '@nestjs-slim/core';
import { linkContract, type LinkPair } from '../../slim-core/src/testing/link-contract.js';
import { grpcJsDialler } from './grpc-js-dialler.js';
import { listenGrpcJs } from './grpc-js-listener.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';

type Listen = (
  options: { host: string; port: number },
  accept: (link: Link) => void,
) => Promise<LinkListener>;

async function loopbackPair(
  listen: Listen,
  diallerFor: (url: string) => LinkDialler,
): Promise<LinkPair> {
  let accept: (link: Link) => void = () => undefined;
  const accepted = new Promise<Link>((resolve) => {
    accept = resolve;
  });
  const listener = await listen({ host: '127.0.0.1', port: 0 }, accept);
  const dialled = await diallerFor(listener.url).dial(new AbortController().signal);
  return {
    dialled,
    accepted: await accepted,
    async end() {
      await Promise.all([dialled.close(), listener.close()]);
    },
  };
}

linkContract('http2 to http2', () => loopbackPair(listenHttp2, http2Dialler));
linkContract('grpc-js to grpc-js', () => loopbackPair(listenGrpcJs, grpcJsDialler));
linkContract('http2 to grpc-js', () => loopbackPair(listenGrpcJs, http2Dialler));
linkContract('grpc-js to http2', () => loopbackPair(listenHttp2, grpcJsDialler));
