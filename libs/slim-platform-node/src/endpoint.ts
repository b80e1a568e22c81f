import { SlimError } from '@nestjs-slim/core';

/** Where a link is dialled, from a URL that a person wrote. */
export interface Endpoint {
  /** Scheme, host and port as given, for messages to people. */
  readonly url: string;
  readonly secure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Host and port as the `:authority` header names them. */
  readonly authority: string;
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** An address as URLs and `:authority` write it: an IPv6 host stands in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Parses `http://host:port` or `https://host:port`.
 * @throws SlimError `invalid-config`
 */
export function parseEndpoint(text: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const defaultPort = defaultPorts[url?.protocol ?? ''];
  const isBare = url && url.pathname === '/' && !url.search && !url.hash && !url.username;
  if (!url || !defaultPort || !isBare) {
    // Credentials have no place in the URL, and none in the message that says so.
    const shown = text.replace(/\/\/[^/]*@/, '//…@');
    const what = `expected http://host:port or https://host:port, got "${shown}"`;
    throw new SlimError('invalid-config', what);
  }
  return {
    url: url.origin,
    secure: url.protocol === 'https:',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
    authority: url.host,
  };
}
