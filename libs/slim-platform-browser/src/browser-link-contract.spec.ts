import type { Link } from '@nestjs-slim/core';
import { listenWebSocket } from '@nestjs-slim/platform-node';
import { WebSocket } from 'ws';
import { linkContract, type LinkPair } from '../../slim-core/src/testing/link-contract.js';
import { webSocketDialler } from './web-socket-dialler.js';

/** Node.js 20 has no WebSocket of its own; that of `ws` has the interface of a browser's as well. */
const connect = (url: string): WebSocket => new WebSocket(url, { perMessageDeflate: false });

async function loopbackPair(): Promise<LinkPair> {
  let accept: (link: Link) => void = () => undefined;
  const accepted = new Promise<Link>((resolve) => (accept = resolve));
  const listener = await listenWebSocket({ host: '127.0.0.1', port: 0 }, accept);
  const dialler = webSocketDialler(listener.url, { connect });
  const dialled = await dialler.dial(new AbortController().signal);
  return {
    dialled,
    accepted: await accepted,
    async end() {
      await Promise.all([dialled.close(), listener.close()]);
    },
  };
}

linkContract('a WebSocket of a browser', loopbackPair);
