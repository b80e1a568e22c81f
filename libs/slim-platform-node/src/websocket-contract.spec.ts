import { linkContract, type LinkPair } from '../../slim-core/src/testing/link-contract.js';
import type { Link } from '@nestjs-slim/core';
import { webSocketDialler } from './websocket-dialler.js';
import { listenWebSocket } from './websocket-listener.js';

async function loopbackPair(): Promise<LinkPair> {
  let accept: (link: Link) => void = () => undefined;
  const accepted = new Promise<Link>((resolve) => (accept = resolve));
  const listener = await listenWebSocket({ host: '127.0.0.1', port: 0 }, accept);
  const dialled = await webSocketDialler(listener.url).dial(new AbortController().signal);
  return {
    dialled,
    accepted: await accepted,
    async end() {
      await Promise.all([dialled.close(), listener.close()]);
    },
  };
}

linkContract('a WebSocket', loopbackPair);
