import { describeMode, measured, modes, slimContenders, startPair, warmUp } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

const size = 256;

/** A message and its echo, one at a time. @type {Case[]} */
export const roundTripCases = modes
  .filter(({ reliable }) => reliable)
  .map((mode) => ({
    name: `round trip, ${describeMode(mode)}`,
    job: `${size} bytes there and back through an official node, one at a time, each in its own process`,
    figures: { 'p50 ms': 'lower' },
    baseline: 'official bindings',
    contenders: Object.fromEntries(
      Object.entries(slimContenders).map(([name, library]) => [name, roundTrip(library, mode)]),
    ),
  }));

/**
 * @param {import('./slim-pair.mjs').Library} library
 * @param {import('./slim-pair.mjs').Mode} mode
 * @returns {Run}
 */
function roundTrip(library, mode) {
  return async (start) => {
    const { opener, acceptor } = await startPair(start, { library, node: 'official', mode });
    await acceptor.call('echo');
    await opener.call('call', { spell: warmUp, size });
    const { p50Ms } = await opener.call('call', { spell: measured, size });
    await opener.call('close');
    return { 'p50 ms': p50Ms };
  };
}
