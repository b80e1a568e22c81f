import { describeMode, measured, modes, slimContenders, startPair, warmUp } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

const size = 256;

/** Messages one way between two applications, counted where they arrive. @type {Case[]} */
export const oneWayCases = modes.map((mode) => ({
  name: `one-way, ${describeMode(mode)}`,
  job: `${size} bytes, sender to receiver through an official node, each in its own process`,
  figures: {
    'messages/s': 'higher',
    'sender CPU us/message': 'lower',
    'receiver CPU us/message': 'lower',
  },
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
    const warm = await opener.call('publish', { spell: warmUp, size });
    await acceptor.call('received', { total: warm.total });

    const before = { sender: await opener.cpuMs(), receiver: await acceptor.cpuMs() };
    const { startedAtMs, total } = await opener.call('publish', { spell: measured, size });
    const { lastAtMs } = await acceptor.call('received', { total });
    const after = { sender: await opener.cpuMs(), receiver: await acceptor.cpuMs() };

    await opener.call('close');
    await acceptor.call('received', { total }); // Nothing came twice, late.
    const messages = total - warm.total;
    return {
      'messages/s': (messages / (lastAtMs - startedAtMs)) * 1000,
      'sender CPU us/message': ((after.sender - before.sender) / messages) * 1000,
      'receiver CPU us/message': ((after.receiver - before.receiver) / messages) * 1000,
    };
  };
}
