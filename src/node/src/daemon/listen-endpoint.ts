import { SlimError } from '@nestjs-slim/core';

/** Where a server listens, and what carries its links. */
export type ListenEndpoint =
  | { readonly kind: 'http2'; readonly address: TcpAddress | { readonly path: string } }
  | {
      readonly kind: 'websocket';
      readonly secure: boolean;
      readonly address: TcpAddress;
      readonly path: string;
    };

/** Host without the brackets of an IPv6 address; port 0 for a free one. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads the endpoint of a server: `HOST:PORT`, `ws://HOST:PORT/PATH`, `wss://…` or `unix:///PATH`.
 * @throws SlimError `invalid-config`
 */
export function parseListenEndpoint(text: string): ListenEndpoint {
  const [, unixPath] = /^unix:\/\/(\/.+)$/.exec(text) ?? [];
  if (unixPath !== undefined) return { kind: 'http2', address: { path: unixPath } };
  const [, scheme, address, path = '/'] = /^(wss?):\/\/([^/]+)(\/.*)?$/.exec(text) ?? [];
  if (address === undefined) return { kind: 'http2', address: parseTcpAddress(text) };
  return { kind: 'websocket', secure: scheme === 'wss', address: parseTcpAddress(address), path };
}

/** Reads `HOST:PORT`, with IPv6 hosts in brackets. @throws SlimError `invalid-config` */
function parseTcpAddress(text: string): TcpAddress {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    throw new SlimError('invalid-config', `expected HOST:PORT to listen on, got "${text}"`);
  }
  return { host, port: Number(port) };
}
