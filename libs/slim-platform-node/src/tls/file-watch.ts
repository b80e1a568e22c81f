import { lstatSync, readlinkSync, watch, type FSWatcher } from 'node:fs';
import { join, parse, resolve, sep } from 'node:path';
import { SlimError, systemClock, type Cancel, type Clock } from '@nestjs-slim/core';

/** A change is rarely one event: tools write a file in pieces, and certificate and key one after the other. */
const settleMs = 200;

/** As many symbolic links as Linux follows for one path. */
const maxLinks = 40;

/** What to watch and whom to tell. */
export interface FileWatchOptions {
  readonly paths: readonly string[];
  readonly clock?: Clock;
  /** Something happened where the files are; they need not have changed. */
  changed(): void;
  /** A folder cannot be watched, so that changes in it go unnoticed. */
  failed(error: SlimError): void;
}

/**
 * Notices that files are written, replaced, or reached by another way: it watches the folders of the
 * files and those of every symbolic link on the way to them. That is what Kubernetes swaps. It keeps no
 * process alive and polls nothing.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #clock: Clock;
  #watchers: FSWatcher[] = [];
  #cancel: Cancel | undefined;
  #closed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#follow();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#letGo();
  }

  readonly #noticed = (): void => {
    if (this.#closed) return;
    this.#cancel ??= this.#clock.schedule(settleMs, () => {
      this.#cancel = undefined;
      // Anew each time: a folder that was replaced keeps its name, and what watches it sees the old one.
      // Before anything is read, so that what happens from here on is noticed.
      this.#follow();
      this.#options.changed();
    });
  };

  #follow(): void {
    this.#letGo();
    for (const folder of new Set(this.#options.paths.flatMap(foldersOf))) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, this.#noticed);
      watcher.on('error', (reason) => this.#fail(folder, reason));
      this.#watchers.push(watcher);
    } catch (reason) {
      this.#fail(folder, reason);
    }
  }

  #fail(folder: string, reason: unknown): void {
    const what = `changes in ${folder} go unnoticed`;
    this.#options.failed(SlimError.from(reason, 'invalid-config', what));
  }

  #letGo(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }
}

/**
 * The folders in which something changes when another file is found at the path: its own, and those
 * of the symbolic links on the way. Of a path that leads nowhere, the folder where the way ends.
 */
export function foldersOf(path: string): string[] {
  const absolute = resolve(path);
  const folders: string[] = [];
  let at = parse(absolute).root;
  const ahead = absolute.slice(at.length).split(sep);
  for (let links = 0; ahead.length > 0;) {
    const next = join(at, ahead.shift() ?? '');
    const found = look(next);
    if (found.kind !== 'other' || ahead.length === 0) folders.push(at);
    if (found.kind === 'missing') break;
    if (found.kind === 'other') {
      at = next;
      continue;
    }
    if ((links += 1) > maxLinks) break;
    const target = resolve(at, found.target);
    at = parse(target).root;
    ahead.unshift(...target.slice(at.length).split(sep));
  }
  return folders;
}

type Found =
  | { readonly kind: 'missing' }
  | { readonly kind: 'other' }
  | { readonly kind: 'link'; readonly target: string };

function look(path: string): Found {
  try {
    const isLink = lstatSync(path).isSymbolicLink();
    return isLink ? { kind: 'link', target: readlinkSync(path) } : { kind: 'other' };
  } catch {
    // Nothing there, or nothing we may see: whoever reads the file says so.
    return { kind: 'missing' };
  }
}
