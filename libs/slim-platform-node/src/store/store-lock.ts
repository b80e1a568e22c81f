import { randomBytes } from 'node:crypto';
import { lstat, link, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { SlimError } from '@nestjs-slim/core';

/** Of the path of a socket, which systems bound; some 100 characters. */
const maxPathBytes = 103;

/**
 * The right to a file for as long as this process lives: a listening socket beside it. The system closes it
 * with the process, however that ends, so what a killed process leaves behind answers nobody and is taken
 * over. Not across machines: a file on a network is not protected.
 */
export class StoreLock {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** @throws SlimError `store-failed` while another process, or another store of this one, has it */
  static async take(file: string): Promise<StoreLock> {
    const path = `${file}.owner`;
    const own = `${path}-${randomBytes(6).toString('hex')}`;
    if (Buffer.byteLength(own) > maxPathBytes) {
      const why = `expected a path of at most ${maxPathBytes - own.length + file.length} characters`;
      throw new SlimError('invalid-config', `${why}, got "${file}"`);
    }
    const server = await listen(own, file);
    try {
      // A link is made or is there already, with nothing in between.
      while (!(await isLinked(own, path))) await removeLeftover(path, file);
      await unlink(own);
      return new StoreLock(server, path);
    } catch (reason) {
      await close(server);
      await unlink(own).catch(() => {
        // Closing has removed it, or it was never there.
      });
      throw SlimError.from(reason, 'store-failed', `locking "${file}"`);
    }
  }

  async release(): Promise<void> {
    // First, while nobody else can have put its own there.
    await unlink(this.#path).catch(() => {
      // Somebody removed it by hand.
    });
    await close(this.#server);
  }
}

async function listen(path: string, file: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (reason) {
    throw SlimError.from(reason, 'store-failed', `locking "${file}"`);
  }
  // It does not keep a process alive.
  return server.unref();
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });

async function isLinked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (reason) {
    if (codeOf(reason) === 'EEXIST') return false;
    throw reason;
  }
}

/** Removes the socket of a process that is gone. @throws SlimError `store-failed` when it lives */
async function removeLeftover(path: string, file: string): Promise<void> {
  const found = await identityOf(path);
  if (found === undefined) return;
  if (await isAnswered(path)) {
    throw new SlimError('store-failed', `the store "${file}" is in use by a process that runs`);
  }
  // By another name first: of those that find it at the same time one moves it, and who was late and moved
  // the socket of a new owner gives it back.
  const aside = `${path}-${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (reason) {
    if (codeOf(reason) === 'ENOENT') return;
    throw reason;
  }
  if ((await identityOf(aside)) !== found) await isLinked(aside, path);
  await unlink(aside);
}

/** Tells one file from another that had its place before. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, ctimeNs, birthtimeNs } = await lstat(path, { bigint: true });
    return `${ino} ${birthtimeNs || ctimeNs}`;
  } catch (reason) {
    if (codeOf(reason) === 'ENOENT') return undefined;
    throw reason;
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (is: boolean) => (): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}

function codeOf(reason: unknown): unknown {
  return (reason as { readonly code?: unknown }).code;
}
