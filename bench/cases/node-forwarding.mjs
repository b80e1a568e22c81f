import { programs } from '../harness/programs.mjs';
import { leaveOutTooMany } from './many-subscriptions.mjs';
import { startNode } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

/**
 * `pairs` of links, a sender and a receiver each; `toAll`: frames go to every subscribed name in turn,
 * not to one name a pair.
 * @typedef {{ pairs: number, subscriptions: number, size: number, toAll: boolean }} Load
 */

const small = { pairs: 1, subscriptions: 1_000, size: 128, toAll: false };

const nodes = /** @type {const} */ ({ 'official node': 'official', 'our node': 'ours' });

/** A node between links that do nothing but send and receive. @type {Case[]} */
export const nodeForwardingCases = [
  ...[128, 1_024, 16_384].map((size) =>
    forwarding(
      { ...small, size },
      { dimension: 'payload bytes', at: size, expected: /** @type {const} */ ('linear') },
    ),
  ),
  ...[10, 100].map((pairs) =>
    forwarding(
      { ...small, pairs },
      { dimension: 'links', at: pairs, expected: /** @type {const} */ ('constant') },
    ),
  ),
  forwarding({ ...small, pairs: 100, size: 16_384 }, undefined),
  ...[1_000, 10_000, 100_000].map((subscriptions) =>
    forwarding(
      { ...small, subscriptions, toAll: true },
      { dimension: 'subscriptions', at: subscriptions, expected: 'constant' },
    ),
  ),
];

/**
 * @param {Load} load
 * @param {{ dimension: string, at: number, expected: 'constant' | 'linear' } | undefined} growth
 * @returns {Case}
 */
function forwarding(load, growth) {
  const { pairs, subscriptions, size, toAll } = load;
  const names = subscriptions.toLocaleString('en');
  return {
    name: `node forwarding, ${pairs} ${pairs === 1 ? 'link' : 'links'}, ${size} B, ${toAll ? `to each of ${names} names` : `${names} names`}`,
    job: `${size} bytes of payload a frame, ${pairs} links in and as many out, made beforehand, ${toAll ? `to ${names} subscribed names in turn` : `one name a link, ${names} subscribed`}`,
    figures: {
      'frames/s': 'higher',
      'payload MB/s': 'higher',
      'node CPU us/frame': 'lower',
      'clients CPU us/frame': 'lower',
    },
    baseline: 'official node',
    contenders: Object.fromEntries(
      Object.entries(nodes).map(([name, node]) => [name, forward(node, load)]),
    ),
    limitMs: 120_000,
    ...(growth && {
      family: `node forwarding, ${growth.dimension}`,
      at: growth.at,
      growth: {
        dimension: growth.dimension,
        figure: 'node CPU us/frame',
        expected: growth.expected,
      },
    }),
  };
}

/**
 * @param {import('./slim-pair.mjs').Library} kind
 * @param {Load} load
 * @returns {Run}
 */
function forward(kind, load) {
  return async (start) => {
    leaveOutTooMany(kind, load.subscriptions);
    const node = await startNode(start, kind);
    const clients = start('clients', programs.nodeLoad);
    await clients.call('pair', { url: node.url, ...load });
    await clients.call('send', { ms: 1_500 });

    const before = { node: await node.process.cpuMs(), clients: await clients.cpuMs() };
    const { count, elapsedMs } = await clients.call('send', { ms: 3_000 });
    const after = { node: await node.process.cpuMs(), clients: await clients.cpuMs() };
    await clients.call('close');
    return {
      'frames/s': (count / elapsedMs) * 1000,
      'payload MB/s': (count * load.size) / elapsedMs / 1000,
      'node CPU us/frame': ((after.node - before.node) / count) * 1000,
      'clients CPU us/frame': ((after.clients - before.clients) / count) * 1000,
    };
  };
}
