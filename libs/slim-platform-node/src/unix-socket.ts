import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Removes the socket file of a process that is gone. One that somebody listens on stays, and so does
 * anything that is no socket: listening there then fails as it should.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  if (await isDeserted(path)) rmSync(path, { force: true });
}

/** Whether nobody listens there, because the process that did is gone or the file is. */
export function isDeserted(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    // Nothing else means that: it may be that we are not allowed to ask, or that too many do.
    probe.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT');
    });
  });
}
