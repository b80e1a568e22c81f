import { describeMode, measured, modes, startPair, warmUp } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */
/** @typedef {{ library: import('./slim-pair.mjs').Library, node: import('./slim-pair.mjs').Library }} Stack */

const size = 256;

/**
 * The applications and the node between them. Without MLS the official node is what holds ours back.
 * @type {Record<string, Stack>}
 */
const stacks = {
  'official bindings': { library: 'official', node: 'official' },
  ours: { library: 'ours', node: 'official' },
  'official bindings, our node': { library: 'official', node: 'ours' },
  'ours, our node': { library: 'ours', node: 'ours' },
};

/** Messages one way between two applications, counted where they arrive. @type {Case[]} */
export const oneWayCases = modes.map((mode) => ({
  name: `one-way, ${describeMode(mode)}`,
  job: `${size} bytes, sender to receiver through an official node unless it says our node, each in its own process`,
  figures: {
    'messages/s': 'higher',
    'sender CPU us/message': 'lower',
    'receiver CPU us/message': 'lower',
  },
  baseline: 'official bindings',
  contenders: Object.fromEntries(
    Object.entries(stacks).map(([name, stack]) => [name, oneWay(stack, mode)]),
  ),
}));

/**
 * @param {Stack} stack
 * @param {import('./slim-pair.mjs').Mode} mode
 * @returns {Run}
 */
function oneWay(stack, mode) {
  return async (start) => {
    const { opener, acceptor } = await startPair(start, { ...stack, mode });
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
