import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give out by themselves, to whoever connects or listens at port 0. */
const firstPort = 20_000;
const endPort = 32_000;

/** A loopback port that nobody listens on now, and that nobody is given who does not ask for this very one. */
export async function freePort() {
  for (;;) {
    const port = randomInt(firstPort, endPort);
    if (await isFree(port)) return port;
  }
}

/** @param {number} port */
async function isFree(port) {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'EADDRINUSE') return false;
    throw reason;
  }
  server.close();
  await once(server, 'close');
  return true;
}
