import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { SlimError } from '@nestjs-slim/core';
import type { SocketEndpoint } from './endpoint.js';
import { DiallerCertificates } from './tls/dialler-certificates.js';
import type { DiallerTls } from './tls/tls-options.js';

/** Opens sockets to one endpoint, encrypted where its URL says so. */
export class DialSocket<E extends SocketEndpoint> {
  readonly endpoint: E;
  readonly #protocol: string;
  readonly #tls: DiallerTls;
  readonly #certificates: DiallerCertificates;

  /**
   * `protocol` is what TLS says is spoken, by its ALPN name.
   * @throws SlimError `invalid-config` for an endpoint that does not encrypt although `tls` says how
   */
  constructor(endpoint: E, protocol: string, tls: DiallerTls | undefined) {
    refusePlainTls(endpoint, tls);
    this.endpoint = endpoint;
    this.#protocol = protocol;
    this.#tls = tls ?? {};
    this.#certificates = new DiallerCertificates(this.#tls);
  }

  /**
   * A socket that is still connecting.
   * @throws SlimError `invalid-config` when a certificate or key cannot be read
   */
  open(): Socket {
    const { address, secure } = this.endpoint;
    if (!secure || 'path' in address) return connectTcp(address);
    const { serverName, insecureSkipVerify = false } = this.#tls;
    const name = serverName ?? (isIP(address.host) ? undefined : address.host);
    return connectTls({
      ...address,
      ...(name !== undefined && { servername: name }),
      ALPNProtocols: [this.#protocol],
      secureContext: this.secureContext(),
      rejectUnauthorized: !insecureSkipVerify,
    });
  }

  /**
   * Certificates and keys as they are now.
   * @throws SlimError `invalid-config` when one cannot be read, and none could before
   */
  secureContext(): SecureContext {
    return this.#certificates.current();
  }
}

/** Whoever says how to encrypt must not get a link in clear. */
function refusePlainTls({ secure, url }: SocketEndpoint, tls: DiallerTls | undefined): void {
  if (!tls || secure) return;
  throw new SlimError('invalid-config', `tls is given for ${url}, which does not encrypt`);
}
