import { freePort } from '../harness/free-port.mjs';
import { LeftOut } from '../harness/left-out.mjs';
import { programs } from '../harness/programs.mjs';
import { brokerServers, findServer } from '../peers/broker-servers.mjs';
import { canReadProcessCpu } from '../peers/process-cpu.mjs';
import { startNode } from './slim-pair.mjs';

/** @typedef {import('../harness/with-processes.mjs').Start} Start */
/** @typedef {'tcp' | 'grpc' | 'nats' | 'redis' | 'slim'} Transport */

/**
 * What stands between a Nest client and its server: a broker, our node or nothing.
 * @typedef {object} Between
 * @property {number} port of the broker, or free for the server to listen on
 * @property {string} [url] of the node
 * @property {() => Promise<number>} cpuMs milliseconds it has computed since its start
 * @property {Promise<any>} untilEnd rejects when a broker ends, and never settles without one
 */

/**
 * @param {Start} start
 * @param {Transport} transport
 * @returns {Promise<Between>}
 */
export async function startBetween(start, transport) {
  const port = await freePort();
  const untilEnd = new Promise(() => {});
  switch (transport) {
    case 'tcp':
    case 'grpc':
      return { port, cpuMs: async () => 0, untilEnd };
    case 'slim': {
      const { process, url } = await startNode(start, 'ours');
      return { port, url, cpuMs: () => process.cpuMs(), untilEnd };
    }
    case 'nats':
    case 'redis':
      return startBroker(start, transport, port);
  }
}

/**
 * @param {Start} start
 * @param {keyof typeof brokerServers} transport
 * @param {number} port
 * @returns {Promise<Between>}
 */
async function startBroker(start, transport, port) {
  const { program } = brokerServers[transport];
  if (!findServer(brokerServers[transport])) {
    throw new LeftOut(`${program} is not installed: npm run install:bench`);
  }
  if (!canReadProcessCpu) {
    throw new LeftOut(`the CPU time of ${program} cannot be read on this system`);
  }
  const broker = start('broker', programs.broker, transport);
  await broker.call('listen', { port });
  return {
    port,
    cpuMs: async () => (await broker.call('brokerUsage')).cpuMs,
    untilEnd: broker.call('untilEnd'),
  };
}
