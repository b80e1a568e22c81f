import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { SlimClient, SlimServer, sharedSecret } from 'nestjs-slim';

const secret = 'the-benchmarks-share-this-secret-of-44-bytes';
const serverName = 'bench/nest/server';

/**
 * How server and client of one transport are made; `port` is free for the server to listen on, `url`
 * leads to a node when there is one.
 * @typedef {{ port: number, url?: string, mls?: boolean }} Place
 * @typedef {object} NestTransport
 * @property {(place: Place) => import('@nestjs/microservices').AsyncMicroserviceOptions | object} server
 * @property {(place: Place) => Pick<import('@nestjs/microservices').ClientProxy, 'connect' | 'send'>} client
 * @property {string} pattern what the client calls the handler `echo`
 */

/** @type {NestTransport} */
const tcp = {
  server: ({ port }) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }),
  client: ({ port }) =>
    ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }),
  pattern: 'echo',
};

/** @type {NestTransport} */
const slim = {
  server: ({ url = '' }) => ({
    strategy: new SlimServer({ name: serverName, identity: sharedSecret({ secret }), node: url }),
  }),
  client: ({ url = '', mls = true }) =>
    new SlimClient({
      name: 'bench/nest/client',
      identity: sharedSecret({ secret }),
      node: url,
      mls,
    }),
  pattern: `${serverName}#echo`,
};

/** @type {Readonly<Record<string, NestTransport>>} */
const transports = { tcp, slim };

/**
 * @param {string | undefined} name
 * @returns {NestTransport}
 */
export function nestTransport(name = '') {
  const transport = transports[name];
  if (!transport) {
    throw new Error(`expected one of ${Object.keys(transports).join(', ')}, got "${name}"`);
  }
  return transport;
}
