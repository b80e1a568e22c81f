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
    const publish = (/** @type {number} */ ms) => opener.call('publishFor', { ms, size });
    const received = (/** @type {number} */ total) => acceptor.call('received', { total });

    const warmSender = await publish(warmUpMs);
    const warmReceiver = await received(warmSender.total);
    const sender = await publish(measuredMs);
    const receiver = await received(sender.total);
    await opener.call('close');
    await received(sender.total); // Nothing came twice, late.

    const messages = sender.total - warmSender.total;
    return {
      'messages/s': (messages / (receiver.lastAtMs - sender.startedAtMs)) * 1000,
      'sender CPU us/message': ((sender.cpuMs - warmSender.cpuMs) / messages) * 1000,
      'receiver CPU us/message': ((receiver.cpuMs - warmReceiver.cpuMs) / messages) * 1000,
    };
  };
}
