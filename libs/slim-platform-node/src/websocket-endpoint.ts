import { SlimError } from '@nestjs-slim/core';

/** Where a link over WebSocket is dialled, from a URL that a person wrote. */
export interface WebSocketEndpoint {
  /** What is asked for, with its query. */
  readonly url: string;
  /** For messages to people: without the query, where a token may stand. */
  readonly shown: string;
  readonly secure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** True for a URL that names this transport. */
export function isWebSocketUrl(url: string): boolean {
  return /^wss?:/i.test(url);
}

/**
 * Parses `ws://host:port/path` or `wss://host:port/path`.
 * @throws SlimError `invalid-config`
 */
export function parseWebSocketEndpoint(text: string): WebSocketEndpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !isWebSocketUrl(url.href) || url.username || url.password || url.hash) {
    // Credentials have no place in the URL, and none in the message that says so.
    const shown = text.replace(/\/\/[^/]*@/, '//…@').replace(/\?.*/, '?…');
    const what = `expected ws://host:port/path or wss://host:port/path, got "${shown}"`;
    throw new SlimError('invalid-config', what);
  }
  const secure = url.protocol === 'wss:';
  const defaultPort = secure ? 443 : 80;
  return {
    url: url.href,
    shown: `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`,
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
  };
}
