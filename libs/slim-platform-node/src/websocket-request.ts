import type { IncomingMessage } from 'node:http';
import { SlimError } from '@nestjs-slim/core';
import type { LinkRequest } from './link-auth/link-auth.js';

/** A request that is none for this listener. */
export interface Misdirection {
  readonly status: 403 | 404;
  readonly reason: SlimError;
}

/** What requests are held against before anybody looks at their credentials. */
export interface RequestRules {
  /** Exactly what a request must ask for, up to its query. */
  readonly path: string;
  /** Origins of pages that may connect; those of all pages when absent. */
  readonly origins: readonly string[] | undefined;
}

/**
 * Why a request asks for something else or comes from elsewhere; undefined for all others. What makes it
 * a WebSocket is for `ws` to check.
 */
export function misdirected(
  request: IncomingMessage,
  { path, origins }: RequestRules,
): Misdirection | undefined {
  const [asked] = splitTarget(request);
  if (asked !== path) {
    const reason = new SlimError('refused', `expected the path ${path}, got ${asked}`);
    return { status: 404, reason };
  }
  // Only browsers send one, and they never let a page forge it.
  const { origin } = request.headers;
  if (!origins || origin === undefined || origins.includes(origin)) return undefined;
  const what = `pages of ${origin} may not connect, those of ${origins.join(', ')} may`;
  return { status: 403, reason: new SlimError('refused', what) };
}

/** What the request brings for an authenticator. */
export function linkRequest(request: IncomingMessage, remote: string): LinkRequest {
  return { authorization: request.headers.authorization ?? bearerInQuery(request), remote };
}

/** Pages cannot set headers, so they bring their token in the query (reference: data plane 6.9). */
function bearerInQuery(request: IncomingMessage): string | undefined {
  const [, query] = splitTarget(request);
  const token = new URLSearchParams(query).get('token');
  return token ? `Bearer ${token}` : undefined;
}

/** Path and query as they were sent: a path that is merely equivalent is another one. */
function splitTarget({ url = '' }: IncomingMessage): readonly [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}
