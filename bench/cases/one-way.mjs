import {
  describeMode,
  measuredMs,
  modes,
  slimContenders,
  startPair,
  warmUpMs,
} from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

const size = 256;

/** Messages one way between two applications, counted where they arrive. @type {Case[]} */
export const oneWayCases = modes.map((mode) => ({
  name: `one-way, ${describeMode(mode)}`,
  job: `${size} bytes, sender to receiver through an official node, each in its own process`,
  figures: { 'messages/s': 'higher' },
  baseline: 'official bindings',
  contenders: Object.fromEntries(
    Object.entries(slimContenders).map(([name, library]) => [name, oneWay(library, mode)]),
  ),
}));

/**
 * @param {import('./slim-pair.mjs').Library} library
 * @param {import('./slim-pair.mjs').Mode} mode
 * @returns {Run}
 */
function oneWay(library, mode) {
  return async (start) => {
    const { opener, acceptor } = await startPair(start, { library, node: 'official', mode });
    await acceptor.call('receive', { size });
    const warmUp = await opener.call('publishFor', { ms: warmUpMs, size });
    await acceptor.call('received', { total: warmUp.total });

    const { startedAtMs, total } = await opener.call('publishFor', { ms: measuredMs, size });
    const { lastAtMs } = await acceptor.call('received', { total });

    await opener.call('close');
    await acceptor.call('received', { total }); // Nothing came twice, late.
    return { 'messages/s': ((total - warmUp.total) / (lastAtMs - startedAtMs)) * 1000 };
  };
}
