import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { host } from './places.js';

/** A way to a port that can be cut, and held up so that both ends believe in connections on which nothing comes. */
export class Gate {
  readonly name: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isHeld = false;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
  }

  static async open(name: string, port: number): Promise<Gate> {
    const server = createServer({ allowHalfOpen: true });
    const gate = new Gate(name, server);
    server.on('connection', (socket) => gate.#connect(socket, port));
    server.listen(0, host);
    await once(server, 'listening');
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, without a word. Answers how many. */
  cut(): number {
    const count = this.#sockets.size / 2;
    for (const socket of this.#sockets) cutOff(socket);
    return count;
  }

  /** Takes nothing more from either side, and says nothing of it. */
  hold(): void {
    this.#isHeld = true;
    for (const socket of this.#sockets) socket.pause();
  }

  release(): void {
    this.#isHeld = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    const closed = [this.#server, ...this.#sockets].map(gone);
    this.#server.close();
    this.cut();
    await Promise.all(closed);
  }

  #connect(near: Socket, port: number): void {
    const far = connect({ host, port, allowHalfOpen: true });
    this.#join(near, far);
    this.#join(far, near);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay();
    from.on('data', (bytes: Buffer) => {
      if (!to.write(bytes)) from.pause();
    });
    from.on('drain', () => {
      if (!this.#isHeld) to.resume();
    });
    from.on('end', () => to.end());
    // What ended one side ends the other; nothing else is to be done about it.
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#isHeld) from.pause();
  }
}

/**
 * Closes without a word. A socket whose end is just being sent is not reset: Node.js 20 would never
 * close it, and never exit by itself.
 */
export function cutOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Settles when it is closed, with an error or without. */
async function gone(one: Socket | Server): Promise<void> {
  await new Promise<void>((resolve) => one.once('close', () => resolve()));
}
