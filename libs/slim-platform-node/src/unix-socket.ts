import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Removes the socket file of a process that is gone. One that somebody listens on stays, and so does
 * anything that is no socket: listening there then fails as it should.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  if (await isDeserted(path)) unlinkSync(path);
}

function isDeserted(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    // Nothing else means that nobody listens: it may be that we are not allowed to ask.
    probe.once('error', (reason: NodeJS.ErrnoException) => resolve(reason.code === 'ECONNREFUSED'));
  });
}
