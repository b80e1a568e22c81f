import { SlimError } from '@nestjs-slim/core';

/** What a socket is opened to. */
export interface SocketEndpoint {
  /** As given, for messages to people. */
  readonly url: string;
  readonly secure: boolean;
  readonly address: EndpointAddress;
}

/** Where a link is dialled, from a URL that a person wrote. */
export interface Endpoint extends SocketEndpoint {
  /** Host and port as the `:authority` header names them. */
  readonly authority: string;
}

/** What a socket is connected to. */
export type EndpointAddress =
  | {
      /** Without the brackets of an IPv6 address. */
      readonly host: string;
      readonly port: number;
    }
  | { readonly path: string };

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** An address as URLs and `:authority` write it: an IPv6 host stands in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Unix sockets have this before their path. */
const unixScheme = 'unix://';

/** More does not fit into the address of a Unix socket on any system. */
const maxUnixPathBytes = 103;

/** The path of a Unix socket as a URL that a dialler takes. */
export function unixUrl(path: string): string {
  return unixScheme + path;
}

/**
 * Refuses a path that cannot be one of a Unix socket.
 * @throws SlimError `invalid-config`
 */
export function checkUnixPath(path: string): void {
  if (!path.startsWith('/')) {
    throw new SlimError('invalid-config', `expected unix:///path, got "${unixUrl(path)}"`);
  }
  const length = Buffer.byteLength(path);
  if (length <= maxUnixPathBytes && !path.includes('\0')) return;
  const what = `expected a path of at most ${maxUnixPathBytes} bytes for a Unix socket, got "${path}"`;
  throw new SlimError('invalid-config', what);
}

/**
 * Parses `http://host:port`, `https://host:port` or `unix:///path`.
 * @throws SlimError `invalid-config`
 */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith(unixScheme)) return unixEndpoint(text.slice(unixScheme.length));
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const defaultPort = defaultPorts[url?.protocol ?? ''];
  const isBare = url && url.pathname === '/' && !url.search && !url.hash && !url.username;
  if (!url || !defaultPort || !isBare) {
    // Credentials have no place in the URL, and none in the message that says so.
    const shown = text.replace(/\/\/[^/]*@/, '//…@');
    const what = `expected http://host:port, https://host:port or unix:///path, got "${shown}"`;
    throw new SlimError('invalid-config', what);
  }
  return {
    url: url.origin,
    secure: url.protocol === 'https:',
    address: addressOf(url, defaultPort),
    authority: url.host,
  };
}

/** Host and port of a URL. */
export function addressOf(url: URL, defaultPort: number): { host: string; port: number } {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: url.port === '' ? defaultPort : Number(url.port) };
}

function unixEndpoint(path: string): Endpoint {
  checkUnixPath(path);
  return { url: unixUrl(path), secure: false, address: { path }, authority: 'localhost' };
}
