import { fileURLToPath } from 'node:url';
import {
  ClientGrpcProxy,
  ClientProxyFactory,
  GrpcMethod,
  MessagePattern,
  Transport,
} from '@nestjs/microservices';
import { SlimClient, SlimServer, sharedSecret } from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';

const secret = 'the-benchmarks-share-this-secret-of-44-bytes';
const serverName = 'bench/nest/server';
const host = '127.0.0.1';

/**
 * How server and client of one transport are made, without any setting but where they meet: `port` is
 * that of the broker, or free for the server to listen on; `url` leads to a node when there is one.
 * @typedef {{ port: number, url?: string, mls?: boolean }} Place
 * @typedef {{ connect(): Promise<unknown>, ask(text: string): Promise<string> }} Asking
 * @typedef {object} NestTransport
 * @property {MethodDecorator} handler makes the method that answers a handler
 * @property {(place: Place) => import('@nestjs/microservices').AsyncMicroserviceOptions | object} server
 * @property {(place: Place) => Asking} client
 */

const tcp = standard(({ port }) => ({ transport: Transport.TCP, options: { host, port } }));

const nats = standard(({ port }) => ({
  transport: Transport.NATS,
  options: { servers: `${host}:${port}` },
}));

const redis = standard(({ port }) => ({ transport: Transport.REDIS, options: { host, port } }));

/** @param {Place} place */
const grpcOptions = ({ port }) => ({
  transport: /** @type {const} */ (Transport.GRPC),
  options: {
    package: 'bench',
    protoPath: fileURLToPath(new URL('echo.proto', import.meta.url)),
    url: `${host}:${port}`,
  },
});

/** @type {NestTransport} */
const grpc = {
  handler: GrpcMethod('Echo', 'Ask'),
  server: grpcOptions,
  client: (place) => {
    /** @type {{ ask(message: { text: string }): import('rxjs').Observable<{ text: string }> }} */
    const echo = new ClientGrpcProxy(grpcOptions(place).options).getService('Echo');
    return {
      connect: async () => {}, // It does so at the first call.
      ask: async (text) => (await firstValueFrom(echo.ask({ text }))).text,
    };
  },
};

/** @type {NestTransport} */
const slim = {
  handler: MessagePattern('echo'),
  server: ({ url = '' }) => ({
    strategy: new SlimServer({ name: serverName, identity: sharedSecret({ secret }), node: url }),
  }),
  client: ({ url = '', mls = true }) => {
    const identity = sharedSecret({ secret });
    const client = new SlimClient({ name: 'bench/nest/client', identity, node: url, mls });
    return asking(client, `${serverName}#echo`);
  },
};

/** @type {Readonly<Record<string, NestTransport>>} */
const transports = { tcp, nats, redis, grpc, slim };

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

/**
 * A transport whose server and client take the same options.
 * @param {(place: Place) => import('@nestjs/microservices').ClientOptions} options
 * @returns {NestTransport}
 */
function standard(options) {
  return {
    handler: MessagePattern('echo'),
    server: options,
    client: (place) => asking(ClientProxyFactory.create(options(place)), 'echo'),
  };
}

/**
 * @param {Pick<import('@nestjs/microservices').ClientProxy, 'connect' | 'send'>} client
 * @param {string} pattern what it calls the handler
 * @returns {Asking}
 */
function asking(client, pattern) {
  return {
    connect: () => client.connect(),
    ask: (text) => firstValueFrom(client.send(pattern, text)),
  };
}
