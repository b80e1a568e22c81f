import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type Client,
  type ClientDuplexStream,
  type ServerDuplexStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';

/** The service as a user of grpc-js would write it, without our code. */
const service = {
  OpenChannel: {
    path: '/dataplane.proto.v1.DataPlaneService/OpenChannel',
    requestStream: true,
    responseStream: true,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} satisfies ServiceDefinition;

type ClientCall = ClientDuplexStream<Buffer, Buffer>;
type ServerCall = ServerDuplexStream<Buffer, Buffer>;
interface DataPlaneClient extends Client {
  OpenChannel(): ClientCall;
}

/** Every size of length prefix and window that matters. */
const sizes = [0, 1, 100, 16_384, 65_536, 1_000_000];
const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 1));

describe('a client written with grpc-js', () => {
  it('exchanges frames with our listener and sees status 0 when the link ends', async () => {
    const listener = await listenHttp2({ host: '127.0.0.1', port: 0 }, (link) => {
      const probe: LinkProbe = new LinkProbe(link, () => {
        link.send(probe.frames.at(-1) ?? new Uint8Array());
        if (probe.frames.length === payloads.length) void link.close();
      });
    });
    const DataPlane = makeGenericClientConstructor(service, 'DataPlaneService');
    const target = listener.url.slice('http://'.length);
    const client = new DataPlane(
      target,
      credentials.createInsecure(),
    ) as unknown as DataPlaneClient;
    const call = client.OpenChannel();
    for (const payload of payloads) call.write(payload);
    const echoed: Buffer[] = [];
    call.on('data', (bytes: Buffer) => echoed.push(bytes));
    const { code } = await new Promise<{ code: number }>((resolve) => call.once('status', resolve));
    expect(code).toBe(status.OK);
    expect(Buffer.concat(echoed).equals(Buffer.concat(payloads))).toBe(true);
    expect(echoed.map(({ length }) => length)).toStrictEqual(sizes);
    client.close();
    await listener.close();
  });
});

describe('a server written with grpc-js', () => {
  async function start(handle: (call: ServerCall) => void) {
    const server = new Server();
    server.addService(service, { OpenChannel: handle });
    const port = await new Promise<number>((resolve, reject) => {
      const creds = ServerCredentials.createInsecure();
      server.bindAsync('127.0.0.1:0', creds, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const link = await http2Dialler(`http://127.0.0.1:${port}`).dial(new AbortController().signal);
    const stop = () => new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    return { link, stop };
  }

  it('exchanges frames with our dialler and is told when the link ends', async () => {
    let ended = false;
    const { link, stop } = await start((call) => {
      call.sendMetadata(new Metadata());
      call.on('data', (bytes: Buffer) => call.write(bytes));
      call.on('end', () => {
        ended = true;
        call.end();
      });
    });
    const probe = new LinkProbe(link);
    for (const payload of payloads) link.send(Uint8Array.from(payload));
    await probe.received(payloads.length);
    expect(probe.frames.map(({ length }) => length)).toStrictEqual(sizes);
    expect(Buffer.concat(probe.frames).equals(Buffer.concat(payloads))).toBe(true);
    await link.close();
    expect(ended).toBe(true);
    expect(probe.ends).toStrictEqual([undefined]);
    await stop();
  });

  it('ends the link with the status it chooses', async () => {
    const { link, stop } = await start((call) => {
      call.sendMetadata(new Metadata());
      call.resume();
      call.emit('error', { code: status.PERMISSION_DENIED, details: 'deployment_name mismatch' });
    });
    const probe = new LinkProbe(link);
    await probe.ended();
    expect(probe.ends).toMatchObject([
      { code: 'refused', message: expect.stringMatching(/status 7: deployment_name mismatch/) },
    ]);
    await stop();
  });
});
