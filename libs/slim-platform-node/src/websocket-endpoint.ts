import { SlimError } from '@nestjs-slim/core';
import { addressOf, type SocketEndpoint } from './endpoint.js';

/** Where a link over WebSocket is dialled, from a URL that a person wrote. */
export interface WebSocketEndpoint extends SocketEndpoint {
  /** What is asked for, with its query. */
  readonly request: string;
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
  return {
    request: url.href,
    // Without the query, where a token may stand.
    url: `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`,
    secure,
    address: addressOf(url, secure ? 443 : 80),
  };
}
