import { programs } from '../harness/programs.mjs';
import { leaveOutTooMany } from './many-subscriptions.mjs';
import { startNode } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */
/** @typedef {import('./slim-pair.mjs').Library} Library */

const nodes = /** @type {const} */ ({ 'official node': 'official', 'our node': 'ours' });

const links = 200;
const firstLinks = 20;

/** What a node holds for those who only are there. @type {Case[]} */
export const nodeMemoryCases = [
  {
    name: 'memory of a node, links',
    job: `memory of the process for ${links} links that have negotiated, less what the first ${firstLinks} take`,
    figures: { 'RSS KiB/link': 'lower', 'node CPU us/link': 'lower' },
    baseline: 'official node',
    contenders: Object.fromEntries(
      Object.entries(nodes).map(([name, kind]) => [name, linkMemory(kind)]),
    ),
  },
  ...[1_000, 10_000, 100_000].map((subscriptions) => ({
    name: `memory of a node, ${subscriptions.toLocaleString('en')} subscriptions`,
    job: `memory of the process for ${subscriptions.toLocaleString('en')} names of one link, less what the first 1,000 take`,
    figures: /** @type {const} */ ({
      'RSS bytes/subscription': 'lower',
      'node CPU us/subscription': 'lower',
    }),
    baseline: 'official node',
    contenders: Object.fromEntries(
      Object.entries(nodes).map(([name, kind]) => [name, subscriptionMemory(kind, subscriptions)]),
    ),
    limitMs: 120_000,
    family: 'node, subscriptions added',
    at: subscriptions,
    growth: /** @type {const} */ ({
      dimension: 'subscriptions',
      figure: 'node CPU us/subscription',
      expected: 'constant',
    }),
  })),
];

/**
 * @param {Library} kind
 * @returns {Run}
 */
function linkMemory(kind) {
  return async (start) => {
    const { node, url, rssBytes } = await started(start, kind);
    const clients = start('clients', programs.nodeLoad);
    await clients.call('open', { url, links: firstLinks });
    const before = { rssBytes: await rssBytes(), cpuMs: await node.cpuMs() };
    await clients.call('open', { url, links });
    const cpuMs = await node.cpuMs();
    const bytes = (await rssBytes()) - before.rssBytes;
    await clients.call('close');
    return {
      'RSS KiB/link': bytes / links / 1024,
      'node CPU us/link': ((cpuMs - before.cpuMs) / links) * 1000,
    };
  };
}

/**
 * @param {Library} kind
 * @param {number} subscriptions
 * @returns {Run}
 */
function subscriptionMemory(kind, subscriptions) {
  return async (start) => {
    leaveOutTooMany(kind, subscriptions);
    const { node, url, rssBytes } = await started(start, kind);
    const clients = start('clients', programs.nodeLoad);
    await clients.call('open', { url, links: 1 });
    await clients.call('subscribe', { from: 0, subscriptions: 1_000 });
    const before = { rssBytes: await rssBytes(), cpuMs: await node.cpuMs() };
    await clients.call('subscribe', { from: 1_000, subscriptions });
    const cpuMs = await node.cpuMs();
    const bytes = (await rssBytes()) - before.rssBytes;
    await clients.call('close');
    return {
      'RSS bytes/subscription': bytes / subscriptions,
      'node CPU us/subscription': ((cpuMs - before.cpuMs) / subscriptions) * 1000,
    };
  };
}

/**
 * @param {import('./slim-pair.mjs').Start} start
 * @param {Library} kind
 */
async function started(start, kind) {
  const { process: node, url } = await startNode(start, kind);
  /** Of ours, after a garbage collection. @returns {Promise<number>} */
  const rssBytes = async () => (await node.call(kind === 'ours' ? 'memory' : 'usage')).rssBytes;
  return { node, url, rssBytes };
}
