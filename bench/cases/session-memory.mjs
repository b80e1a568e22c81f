import { slimContenders } from './slim-pair.mjs';
import { startSessions } from './slim-sessions.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

/** Enough that the heap, which grows by some 20 MiB for the garbage of setting sessions up, has grown. */
const sessions = 1_000;

const how = `${sessions} sessions of the same two applications through an official node, less what the first 20 take; after a garbage collection`;

/** What a session holds that nothing happens in. @type {Case[]} */
export const sessionMemoryCases = [
  ...[false, true].map((mls) => ({
    name: `memory of idle sessions, MLS ${mls ? 'on' : 'off'}`,
    job: `memory of the process at each end: ${how}`,
    figures: /** @type {const} */ ({
      'opener RSS KiB/session': 'lower',
      'acceptor RSS KiB/session': 'lower',
    }),
    baseline: 'official bindings',
    contenders: Object.fromEntries(
      Object.entries(slimContenders).map(([name, library]) => [
        name,
        memory(library, mls, 'RSS', 'rssBytes'),
      ]),
    ),
  })),
  {
    name: 'memory of idle sessions, live objects',
    job: `JavaScript objects and the buffers they own at each end: ${how}`,
    figures: { 'opener live KiB/session': 'lower', 'acceptor live KiB/session': 'lower' },
    baseline: 'ours, MLS off',
    contenders: {
      'ours, MLS off': memory('ours', false, 'live', 'liveBytes'),
      'ours, MLS on': memory('ours', true, 'live', 'liveBytes'),
    },
  },
];

/**
 * @param {import('./slim-pair.mjs').Library} library
 * @param {boolean} mls
 * @param {string} label
 * @param {'rssBytes' | 'liveBytes'} measure
 * @returns {Run}
 */
function memory(library, mls, label, measure) {
  return async (start) => {
    const { opener, acceptor, peer, verify } = await startSessions(start, library);
    const mode = { peer, mls, reliable: true };
    const first = 20;
    const bytes = async () => ({
      opener: (await opener.call('memory'))[measure],
      acceptor: (await acceptor.call('memory'))[measure],
    });
    await opener.call('keep', { count: first, ...mode });
    const before = await bytes();
    await opener.call('keep', { count: sessions, ...mode });
    const after = await bytes();
    await verify({ accepted: first + sessions, ended: 0 });
    await opener.call('closeKept');
    await verify({ accepted: first + sessions, ended: first + sessions });
    return {
      [`opener ${label} KiB/session`]: (after.opener - before.opener) / sessions / 1024,
      [`acceptor ${label} KiB/session`]: (after.acceptor - before.acceptor) / sessions / 1024,
    };
  };
}
