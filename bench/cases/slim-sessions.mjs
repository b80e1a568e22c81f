import { programs } from '../harness/programs.mjs';
import { secret, startNode } from './slim-pair.mjs';

/**
 * An official node and two applications of one library, the second of which takes every session that
 * the first opens to it.
 * @param {import('./slim-pair.mjs').Start} start
 * @param {import('./slim-pair.mjs').Library} library
 */
export async function startSessions(start, library) {
  const peer = 'bench/slim/acceptor';
  const { url } = await startNode(start, 'official');
  const opener = start('opener', programs.slimSessions, library);
  const acceptor = start('acceptor', programs.slimSessions, library);
  await opener.call('connect', { url, secret, name: 'bench/slim/opener' });
  await acceptor.call('connect', { url, secret, name: peer });
  await acceptor.call('accept');
  return {
    opener,
    acceptor,
    peer,
    /** Fails unless the second has had exactly that many sessions, so many of which are over. */
    verify: async (/** @type {{ accepted: number, ended: number }} */ expected) => {
      const { accepted, ended } = await acceptor.call('counts', { ended: expected.ended });
      if (accepted !== expected.accepted || ended !== expected.ended) {
        const counts = JSON.stringify({ accepted, ended });
        throw new Error(`expected ${JSON.stringify(expected)} sessions, got ${counts}`);
      }
    },
  };
}
