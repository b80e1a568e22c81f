import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SlimNode } from 'nestjs-slim';
import { listenAddress, settings, tell } from '../settings.js';

// A routing node that shows what whoever operates it could see: every frame that it forwards, as it is.
// `GET /frames` streams them, those of the past first; `GET /frames/past` lists them and ends.
const maxKept = 5_000;
const kept: string[] = [];
const watchers = new Set<ServerResponse>();

function show(frame: Uint8Array): void {
  const hex = Buffer.from(frame).toString('hex');
  kept.push(hex);
  if (kept.length > maxKept) kept.shift();
  for (const watcher of watchers) watcher.write(`data: ${hex}\n\n`);
}

const server = createServer(({ url }, response) => {
  if (url === '/frames/past') return void response.end(kept.join('\n'));
  if (url !== '/frames') return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for (const hex of kept) response.write(`data: ${hex}\n\n`);
  watchers.add(response);
  response.on('close', () => watchers.delete(response));
  return undefined;
});

const { host, port } = listenAddress();
const node = await SlimNode.start({ listen: { host, port }, onForward: show });
server.listen(settings.httpPort, host);
await once(server, 'listening');
tell('node', `shows its frames at http://${host}:${(server.address() as AddressInfo).port}`);
tell('node', `listens on ${node.url ?? ''}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    void node.close();
  });
}
