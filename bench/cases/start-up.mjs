import { freePort } from '../harness/free-port.mjs';
import { programs } from '../harness/programs.mjs';
import { nowMs } from '../programs/spell.mjs';
import { secret, startNode } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

/** How long programs take until they are of use. @type {Case[]} */
export const startUpCases = [
  {
    name: 'start-up of a Nest service',
    job: 'from starting its process to its first answer, to a client that runs already; ours with a node that runs already',
    figures: { 'ms to listening': 'lower', 'ms to first answer': 'lower' },
    baseline: 'Nest TCP',
    contenders: {
      'Nest TCP': service('tcp', false),
      'ours, MLS off': service('slim', false),
      'ours, MLS on': service('slim', true),
    },
  },
  {
    name: 'start-up of a node',
    job: 'from starting its process until it has negotiated a link',
    figures: { 'ms to first link': 'lower', 'CPU ms': 'lower' },
    baseline: 'official node, in Node.js',
    contenders: {
      'official node, in Node.js': nodeStart(programs.officialNode),
      'slim node': nodeStart(programs.slimNodeCommand),
    },
  },
  {
    name: 'import of packages',
    job: 'loading them in a process that has just started; each after what it stands on',
    figures: { ms: 'lower' },
    baseline: '@nestjs/microservices',
    contenders: {
      '@nestjs/microservices': load('reflect-metadata', '@nestjs/core', '@nestjs/microservices'),
      'nestjs-slim': load(
        'reflect-metadata',
        '@nestjs/core',
        '@nestjs/microservices',
        'nestjs-slim',
      ),
      '@nestjs-slim/platform-node': load('@nestjs-slim/platform-node'),
    },
  },
];

/**
 * @param {'tcp' | 'slim'} transport
 * @param {boolean} mls
 * @returns {Run}
 */
function service(transport, mls) {
  return async (start) => {
    const node = transport === 'slim' ? await startNode(start, 'ours') : undefined;
    // The name that the client asks.
    const place = {
      port: await freePort(),
      url: node?.url,
      mls,
      secret,
      name: 'bench/nest/server',
    };
    const client = start('client', programs.nestClient, transport);
    await client.call('usage'); // It runs, and has loaded everything.
    if (transport === 'slim') await client.call('connect', place);

    const startedAtMs = nowMs();
    const server = start('server', programs.startUpService, transport);
    await server.call('listen', place);
    const listeningAtMs = nowMs();
    if (transport === 'tcp') await client.call('connect', place); // Only now is there somebody.
    await client.call('call', { spell: { ms: 0, atLeast: 1 }, size: 128, callers: 1 });
    return {
      'ms to listening': listeningAtMs - startedAtMs,
      'ms to first answer': nowMs() - startedAtMs,
    };
  };
}

/**
 * @param {string} program
 * @returns {Run}
 */
function nodeStart(program) {
  return async (start) => {
    const clients = start('clients', programs.nodeLoad);
    await clients.call('usage');
    const port = await freePort();
    const answered = clients.call('untilAnswered', { url: `http://127.0.0.1:${port}` });
    answered.catch(() => undefined); // Awaited below, when the node did start.
    const startedAtMs = nowMs();
    const node = start('node', program);
    await node.call('node', { port });
    const { answeredAtMs } = await answered;
    const cpuMs = await node.cpuMs();
    await clients.call('close');
    return { 'ms to first link': answeredAtMs - startedAtMs, 'CPU ms': cpuMs };
  };
}

/**
 * @param {...string} packages
 * @returns {Run}
 */
function load(...packages) {
  return async (start) => {
    const { elapsedMs } = await start('loader', programs.startUpImport, ...packages).call('load');
    return { ms: elapsedMs };
  };
}
