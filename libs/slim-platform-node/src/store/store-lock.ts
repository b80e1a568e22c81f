import { randomBytes } from 'node:crypto';
import { link, readdir, unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { SlimError } from '@nestjs-slim/core';
import { isDeserted } from '../unix-socket.js';

/** Of the path of a socket, which systems bound. */
const maxPathBytes = 103;

/**
 * The right to a file for as long as this process lives: a listening socket beside it, which the system closes
 * with the process, however that ends. What a killed process leaves behind is deserted. Not across
 * machines: a file on a network is not protected.
 *
 * Sockets are numbered, and each process puts the next number up and then looks whether another number is
 * alive: of two that do so at the same time at least one sees the other. Only an owner removes what is dead,
 * so none takes away what somebody else has just put up.
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
    const own = `${file}.owner-${randomBytes(6).toString('hex')}`;
    if (Buffer.byteLength(own) > maxPathBytes) {
      const why = `expected a path of at most ${maxPathBytes - own.length + file.length} characters`;
      throw new SlimError('invalid-config', `${why}, got "${file}"`);
    }
    const server = createServer((socket) => socket.destroy());
    try {
      await listen(server, own);
      const lock = new StoreLock(server, await putUp(own, file));
      await lock.#assertAlone(file);
      return lock;
    } catch (reason) {
      await close(server);
      throw SlimError.from(reason, 'store-failed', `locking "${file}"`);
    } finally {
      await remove(own);
    }
  }

  async release(): Promise<void> {
    await remove(this.#path);
    await close(this.#server);
  }

  /** Removes what is dead. @throws SlimError `store-failed` when another is alive */
  async #assertAlone(file: string): Promise<void> {
    const others = (await namesOf(file)).filter((path) => path !== this.#path);
    const flags = others.filter((path) => numberOf(path) !== undefined);
    for (const path of flags) {
      if (await isDeserted(path)) continue;
      await remove(this.#path);
      throw inUse(file);
    }
    for (const path of others) if (await isDeserted(path)) await remove(path);
  }
}

/** Gives the socket the number after the last one. @throws SlimError `store-failed` when that one is alive */
async function putUp(own: string, file: string): Promise<string> {
  for (;;) {
    const numbers = (await namesOf(file)).map((path) => numberOf(path) ?? 0);
    const last = Math.max(0, ...numbers);
    if (last > 0 && !(await isDeserted(`${file}.owner.${last}`))) throw inUse(file);
    const path = `${file}.owner.${last + 1}`;
    try {
      await link(own, path);
      return path;
    } catch (reason) {
      // Another was faster; whether it lives shows when it is looked at again.
      if ((reason as NodeJS.ErrnoException).code !== 'EEXIST') throw reason;
    }
  }
}

/** The sockets beside a file, those that have no number yet among them. */
async function namesOf(file: string): Promise<string[]> {
  const folder = dirname(file);
  const start = `${basename(file)}.owner`;
  const names = (await readdir(folder)).filter((name) => name.startsWith(start));
  return names.map((name) => join(folder, name));
}

function numberOf(path: string): number | undefined {
  const [, digits] = /\.owner\.(\d+)$/.exec(path) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function listen(server: Server, path: string): Promise<void> {
  // It does not keep a process alive.
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    // An error says that it was not listening.
    server.close(() => resolve());
  });

const remove = (path: string): Promise<void> =>
  unlink(path).catch(() => {
    // It is gone already, and nothing else matters.
  });

function inUse(file: string): SlimError {
  return new SlimError('store-failed', `the store "${file}" is in use by a process that runs`);
}
