import { once } from 'node:events';
import type { Server } from 'node:net';

/** Where a server listens. */
export interface LoopbackServer {
  readonly port: number;
  /** Settles when its connections are closed, too, which it leaves to others. */
  readonly close: () => Promise<void>;
}

/** Has a server listen at a port of this machine that the system picks. */
export async function listenOnLoopback(server: Server): Promise<LoopbackServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    port: address.port,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
