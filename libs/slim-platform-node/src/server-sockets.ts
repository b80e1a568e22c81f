import type { Server, Socket } from 'node:net';

/** The sockets of a server, also those that never came further than their connection. */
export class ServerSockets {
  readonly #open = new Set<Socket>();

  /** Create it before the server listens. */
  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      // It may fail before its protocol looks after it, and after that let go of it.
      socket.on('error', () => undefined);
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** Settles when all are gone, which is a little later than the server says it is closed. */
  async destroy(): Promise<void> {
    const gone = [...this.#open].map((socket) => {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      return closed;
    });
    await Promise.all(gone);
  }
}

/** Where the server listens; 0 when it does not, or not on a port. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
