import { LeftOut } from '../harness/left-out.mjs';
import { programs } from '../harness/programs.mjs';
import { startBetween } from './nest-between.mjs';
import { measured } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

/**
 * Longer than where work is counted: requests that are under way together share messages, so that what
 * sends and receives is called too seldom for the compiler to be done with it after 10,000 of them
 * (bench/PROFILE.md, "The first seconds").
 */
const warmUp = { ms: 10_000 };

/** Requests under way at a time. */
const loads = { 'one at a time': 1, '64 in flight': 64, '512 in flight': 512 };

/** Bytes of a request and of its answer. */
const sizes = { '128 B': 128, '1 KiB': 1024, '16 KiB': 16 * 1024 };

const job =
  'there and back as a text, in JSON (gRPC: in protobuf); client, server and what is between them (NATS, ' +
  'Redis, our node) each in its own process; all with default settings: one connection (Redis: two) from ' +
  'client and server each, NATS without JetStream, Redis pub/sub with nothing saved, ours reliable; no TLS; ' +
  `after ${warmUp.ms / 1000} s of it`;

/** A Nest client asks a Nest service for its own request back. @type {Case[]} */
export const nestRequestCases = Object.entries(loads).flatMap(([load, callers]) =>
  Object.entries(sizes).map(([sizeName, size]) => ({
    name: `Nest request/response, ${load}, ${sizeName}`,
    job: `${sizeName} ${job}`,
    figures: {
      'requests/s': 'higher',
      'p50 ms': 'lower',
      'p99 ms': 'lower',
      'CPU us/request': 'lower',
    },
    baselines: ['Nest NATS', 'Nest gRPC'],
    contenders: {
      'Nest NATS': request({ transport: 'nats', size, callers }),
      'Nest gRPC': request({ transport: 'grpc', size, callers }),
      'Nest Redis': request({ transport: 'redis', size, callers }),
      'Nest TCP': request({ transport: 'tcp', size, callers }),
      'ours, MLS off': request({ transport: 'slim', mls: false, size, callers }),
      'ours, MLS on': request({ transport: 'slim', mls: true, size, callers }),
    },
  })),
);

/**
 * @typedef {object} RequestOptions
 * @property {import('./nest-between.mjs').Transport} transport
 * @property {boolean} [mls]
 * @property {number} size
 * @property {number} callers
 * @param {RequestOptions} options
 * @returns {Run}
 */
function request(options) {
  return async (start) => {
    const between = await startBetween(start, options.transport);
    try {
      // A client may wait without end for a broker that is gone.
      return await Promise.race([measureRequests(start, between, options), between.untilEnd]);
    } catch (reason) {
      throw options.transport === 'tcp' ? stalledTcp(reason) : reason;
    }
  };
}

/**
 * Client and server of Nest TCP read nothing while they wait for the other to read. With 512 times 16 KiB
 * on one connection both wait, until a server that got half a request closes the connection after 30 s.
 * @param {unknown} reason
 */
function stalledTcp(reason) {
  if (!String(reason).includes('Error: Connection closed')) return reason;
  return new LeftOut(
    'client and server wait for each other to read until the connection is closed',
  );
}

/**
 * @param {import('../harness/with-processes.mjs').Start} start
 * @param {import('./nest-between.mjs').Between} between
 * @param {RequestOptions} options
 */
async function measureRequests(start, between, { transport, mls, size, callers }) {
  const place = { port: between.port, url: between.url, mls };
  const server = start('server', programs.nestServer, transport);
  await server.call('listen', place);
  const client = start('client', programs.nestClient, transport);
  await client.call('connect', place);
  const cpuMs = async () =>
    (await server.cpuMs()) + (await client.cpuMs()) + (await between.cpuMs());

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
}
