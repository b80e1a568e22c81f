import { freePort } from '../harness/free-port.mjs';
import { programs } from '../harness/programs.mjs';
import { measured, startNode, warmUp } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

const size = 128;

/** @type {Readonly<Record<string, number>>} */
const loads = { 'one at a time': 1, '64 in flight': 64 };

/** A Nest client asks a Nest service for its own request back. @type {Case[]} */
export const nestRequestCases = Object.entries(loads).map(([load, callers]) => ({
  name: `Nest request/response, ${load}`,
  job: `${size} bytes there and back, client and server in processes of their own; ours through our node in a third`,
  figures: {
    'requests/s': 'higher',
    'p50 ms': 'lower',
    'p99 ms': 'lower',
    'CPU us/request': 'lower',
  },
  baseline: 'Nest TCP',
  contenders: {
    'Nest TCP': request({ transport: 'tcp', callers }),
    'ours, MLS off': request({ transport: 'slim', mls: false, callers }),
    'ours, MLS on': request({ transport: 'slim', mls: true, callers }),
  },
}));

/**
 * @param {{ transport: 'tcp' | 'slim', mls?: boolean, callers: number }} options
 * @returns {Run}
 */
function request({ transport, mls, callers }) {
  return async (start) => {
    const node = transport === 'slim' ? await startNode(start, 'ours') : undefined;
    const place = { port: await freePort(), url: node?.url, mls };
    const server = start('server', programs.nestServer, transport);
    await server.call('listen', place);
    const client = start('client', programs.nestClient, transport);
    await client.call('connect', place);
    const cpuMs = async () =>
      (await server.cpuMs()) + (await client.cpuMs()) + ((await node?.process.cpuMs()) ?? 0);

    await client.call('call', { spell: warmUp, size, callers });
    const before = await cpuMs();
    const answered = await client.call('call', { spell: measured, size, callers });
    const { count, elapsedMs, p50Ms, p99Ms } = answered;
    return {
      'requests/s': (count / elapsedMs) * 1000,
      'p50 ms': p50Ms,
      'p99 ms': p99Ms,
      'CPU us/request': (((await cpuMs()) - before) / count) * 1000,
    };
  };
}
