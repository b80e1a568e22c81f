import { slimContenders } from './slim-pair.mjs';
import { startSessions } from './slim-sessions.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

const warmUp = { ms: 1_000, atLeast: 300, atMostMs: 8_000 };
const measured = { ms: 3_000 };

/** Sessions between the same two applications, opened and closed one after the other. @type {Case[]} */
export const sessionSetUpCases = [false, true].map((mls) => ({
  name: `session set-up, MLS ${mls ? 'on' : 'off'}`,
  job: 'a reliable session of two through an official node, opened and closed again, one after the other',
  figures: {
    'open p50 ms': 'lower',
    'close p50 ms': 'lower',
    'opener CPU us/session': 'lower',
    'acceptor CPU us/session': 'lower',
  },
  baseline: 'official bindings',
  contenders: Object.fromEntries(
    Object.entries(slimContenders).map(([name, library]) => [name, setUp(library, mls)]),
  ),
}));

/**
 * @param {import('./slim-pair.mjs').Library} library
 * @param {boolean} mls
 * @returns {Run}
 */
function setUp(library, mls) {
  return async (start) => {
    const { opener, acceptor, peer, verify } = await startSessions(start, library);
    const mode = { peer, mls, reliable: true };
    const warm = await opener.call('openAndClose', { spell: warmUp, ...mode });
    await verify({ accepted: warm.count, ended: warm.count });

    const before = { opener: await opener.cpuMs(), acceptor: await acceptor.cpuMs() };
    const { count, openMs, closeMs } = await opener.call('openAndClose', {
      spell: measured,
      ...mode,
    });
    const after = { opener: await opener.cpuMs(), acceptor: await acceptor.cpuMs() };
    await verify({ accepted: warm.count + count, ended: warm.count + count });
    return {
      'open p50 ms': openMs,
      'close p50 ms': closeMs,
      'opener CPU us/session': ((after.opener - before.opener) / count) * 1000,
      'acceptor CPU us/session': ((after.acceptor - before.acceptor) / count) * 1000,
    };
  };
}
