import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** More than a peer lets us send before it reads (`windowBytes`), so that a write never waits for it. */
const heldBytes = 8 * 1024 * 1024;

/**
 * A socket that takes what is written at once and passes it on when the other end reads. node:http2
 * reads nothing while a write waits. Two ends that do so can wait for each other forever, once more
 * is under way in both directions than the kernel holds; it takes one end that does not.
 */
export function writeBehind(socket: Socket): Duplex {
  return new WriteBehindSocket(socket);
}

class WriteBehindSocket extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ readableHighWaterMark: 256 * 1024 });
    this.#socket = socket;
    // node:http2 does this for a socket of its own, which this one is not.
    socket.setNoDelay();
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.once('end', () => this.push(null));
    socket.on('error', (reason) => this.destroy(reason));
    socket.once('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, taken: () => void): void {
    this.#socket.write(chunk);
    this.#take(taken);
  }

  override _writev(chunks: readonly { chunk: Uint8Array }[], taken: () => void): void {
    this.#socket.cork();
    for (const { chunk } of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    this.#take(taken);
  }

  override _final(ended: () => void): void {
    this.#socket.end(() => ended());
  }

  override _destroy(reason: Error | null, destroyed: (reason: Error | null) => void): void {
    this.#socket.destroy();
    destroyed(reason);
  }

  /** A peer that reads nothing at all is not buffered for beyond what it may be sent. */
  #take(taken: () => void): void {
    if (this.#socket.writableLength < heldBytes) taken();
    else this.#socket.once('drain', taken);
  }
}
