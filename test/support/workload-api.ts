import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Server, ServerCredentials, type handleServerStreamingCall } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { SignJWT } from 'jose';
import protobuf from 'protobufjs';
import { makeCertificate } from './certificates.js';

/** The part of the SPIFFE Workload API that an official application uses. */
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message X509SVIDRequest {}
  message X509SVIDResponse { repeated X509SVID svids = 1; }
  message X509SVID {
    string spiffe_id = 1; bytes x509_svid = 2; bytes x509_svid_key = 3; bytes bundle = 4;
  }
  message X509BundlesRequest {}
  message X509BundlesResponse { map<string, bytes> bundles = 2; }
  message JWTSVIDRequest { repeated string audience = 1; string spiffe_id = 2; }
  message JWTSVIDResponse { repeated JWTSVID svids = 1; }
  message JWTSVID { string spiffe_id = 1; string svid = 2; }
  message JWTBundlesRequest {}
  message JWTBundlesResponse { map<string, bytes> bundles = 1; }
`,
  { keepCase: true },
);

function method(name: string, responseStream: boolean) {
  const [request, response] = [`${name.slice(5)}Request`, `${name.slice(5)}Response`].map((type) =>
    root.lookupType(type),
  );
  if (!request || !response) throw new Error(`no messages for ${name}`);
  return {
    path: `/SpiffeWorkloadAPI/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: (value: object) => Buffer.from(request.encode(value).finish()),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes),
    responseSerialize: (value: object) => Buffer.from(response.encode(value).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  };
}

const service: ServiceDefinition = {
  FetchX509SVID: method('FetchX509SVID', true),
  FetchX509Bundles: method('FetchX509Bundles', true),
  FetchJWTSVID: method('FetchJWTSVID', false),
  FetchJWTBundles: method('FetchJWTBundles', true),
};

/** One workload as SPIRE knows it, and who signs its tokens. */
export interface WorkloadApiOptions {
  readonly socketPath: string;
  readonly trustDomain: string;
  readonly spiffeId: string;
  readonly signingKey: KeyObject;
  /** The key set that belongs to it, as its text. */
  readonly bundle: string;
}

/** A token as SPIRE issues it. */
export function mintSvid(
  { spiffeId, signingKey }: Pick<WorkloadApiOptions, 'spiffeId' | 'signingKey'>,
  audience: readonly string[],
): Promise<string> {
  return new SignJWT({ sub: spiffeId, aud: [...audience] })
    .setProtectedHeader({ alg: 'ES256', kid: 'spire', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime('5 minutes')
    .sign(signingKey);
}

/** Stands in for a SPIRE agent: issues tokens for one workload at a socket of its own. */
export class WorkloadApi {
  /** The audiences of each token that was asked for. */
  readonly asked: (readonly string[])[] = [];
  readonly #server = new Server();
  readonly #options: WorkloadApiOptions;

  private constructor(options: WorkloadApiOptions) {
    this.#options = options;
  }

  static async start(options: WorkloadApiOptions): Promise<WorkloadApi> {
    const api = new WorkloadApi(options);
    await api.#listen();
    return api;
  }

  async stop(): Promise<void> {
    this.#server.forceShutdown();
    await rm(this.#options.socketPath, { force: true });
  }

  async #listen(): Promise<void> {
    const { socketPath, spiffeId, trustDomain, bundle } = this.#options;
    const authority = makeCertificate({ subject: 'authority' });
    const own = makeCertificate({ subject: 'workload', hosts: [spiffeId], issuer: authority });
    const der = (cert: string) => new X509Certificate(cert).raw;
    const bundles = { [`spiffe://${trustDomain}`]: Buffer.from(bundle) };
    const svid = {
      spiffe_id: spiffeId,
      x509_svid: der(own.cert),
      x509_svid_key: createPrivateKey(own.key).export({ type: 'pkcs8', format: 'der' }),
      bundle: der(authority.cert),
    };
    const x509Bundles = { [`spiffe://${trustDomain}`]: der(authority.cert) };
    this.#server.addService(service, {
      FetchX509SVID: always({ svids: [svid] }),
      FetchX509Bundles: always({ bundles: x509Bundles }),
      FetchJWTBundles: always({ bundles }),
      FetchJWTSVID: (
        { request }: ServerUnaryCall<{ readonly audience: readonly string[] }, object>,
        answer: sendUnaryData<object>,
      ) => {
        this.asked.push(request.audience);
        mintSvid(this.#options, request.audience).then(
          (token) => answer(null, { svids: [{ spiffe_id: spiffeId, svid: token }] }),
          (reason: Error) => answer(reason),
        );
      },
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (reason) =>
        reason ? reject(reason) : resolve(),
      );
    });
  }
}

/** A stream that says one thing and stays open, because nothing changes. */
function always(answer: object): handleServerStreamingCall<object, object> {
  return (call) => void call.write(answer);
}
