import { SlimError } from '@nestjs-slim/core';
import type { NodeStatus } from '@nestjs-slim/node';

const answerWithinMs = 5_000;

/** Where to ask a node how it is. @throws SlimError `invalid-config` for what is no URL of an admin port */
export function statusUrl(admin: string): URL {
  const url = URL.canParse(admin) ? new URL(admin) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return new URL('status.json', url);
  throw new SlimError('invalid-config', `expected http://HOST:PORT for --admin, got "${admin}"`);
}

/**
 * Asks once, for so many links, those with the most traffic first.
 * @throws SlimError `link-failed` when no node answers there, `aborted` with the signal
 */
export async function askStatus(url: URL, links: number, signal: AbortSignal): Promise<NodeStatus> {
  const asked = new URL(url);
  asked.search = `links_order=traffic&links_limit=${links}&routes_limit=0`;
  const answer = await ask(asked, signal);
  if (isStatus(answer)) return answer;
  throw new SlimError('link-failed', `expected the status of a node at ${url.href}, got another`);
}

async function ask(url: URL, signal: AbortSignal): Promise<unknown> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
    const response = await fetch(url, { signal: within });
    if (response.ok) return await response.json();
    throw new SlimError('link-failed', `${url.origin} answered ${response.status}`);
  } catch (reason) {
    if (signal.aborted) throw SlimError.from(signal.reason, 'aborted');
    // `fetch` says only that it failed; what it wraps says why.
    const why = reason instanceof Error && reason.cause instanceof Error ? reason.cause : reason;
    throw SlimError.from(why, 'link-failed', url.origin);
  }
}

/** Enough to tell a node from another service at that port. */
function isStatus(value: unknown): value is NodeStatus {
  const parts: Partial<Record<keyof NodeStatus, unknown>> = Object(value);
  const { node, counters, traffic, links, routes } = parts;
  const isPage = (page: unknown): boolean =>
    isObject(page) && 'items' in page && Array.isArray(page.items);
  return [node, counters, traffic].every(isObject) && isPage(links) && isPage(routes);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
