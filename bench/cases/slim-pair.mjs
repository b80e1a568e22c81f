import { freePort } from '../harness/free-port.mjs';
import { programs } from '../harness/programs.mjs';

/** @typedef {import('../harness/with-processes.mjs').Start} Start */
/** @typedef {{ readonly mls: boolean, readonly reliable: boolean }} Mode */
/** @typedef {'ours' | 'official'} Library */

/** What all applications of a run share. */
export const secret = 'the-benchmarks-share-this-secret-of-44-bytes';

/**
 * What is measured, after a warm-up that counts work and not only time: a compiler that works while the
 * program runs needs thousands of calls, however long they take.
 */
export const measured = { ms: 3_000 };
export const warmUp = { ms: 1_000, atLeast: 10_000, atMostMs: 10_000 };

/** Contender names of the two libraries, the baseline first. */
export const slimContenders = /** @type {const} */ ({
  'official bindings': 'official',
  ours: 'ours',
});

/** All four kinds of session. @type {readonly Mode[]} */
export const modes = [
  { reliable: false, mls: false },
  { reliable: false, mls: true },
  { reliable: true, mls: false },
  { reliable: true, mls: true },
];

/** @param {Mode} mode */
export const describeMode = ({ reliable, mls }) =>
  `${reliable ? 'reliable' : 'unreliable'}, MLS ${mls ? 'on' : 'off'}`;

/**
 * A node and two applications of one library with a session between them, each in its own process.
 * @param {Start} start
 * @param {{ library: Library, node: Library, mode: Mode }} options
 */
export async function startPair(start, { library, node, mode }) {
  const { url } = await startNode(start, node);
  const opener = start('opener', programs.slimApp, library);
  const acceptor = start('acceptor', programs.slimApp, library);
  await opener.call('connect', { url, secret, name: 'bench/slim/opener' });
  await acceptor.call('connect', { url, secret, name: 'bench/slim/acceptor' });
  await Promise.all([
    acceptor.call('accept'),
    opener.call('open', { ...mode, peer: 'bench/slim/acceptor' }),
  ]);
  return { opener, acceptor };
}

/**
 * Starts a routing node in its own process.
 * @param {Start} start
 * @param {Library} kind
 */
export async function startNode(start, kind) {
  const process = start('node', kind === 'ours' ? programs.ourNode : programs.officialNode);
  const { url } = await process.call('node', { port: await freePort() });
  return { process, url: String(url) };
}
