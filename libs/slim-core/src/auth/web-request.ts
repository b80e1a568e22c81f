import type { Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { unlessAborted } from '../errors/unless-aborted.js';
import { isRecord } from './claims.js';

/** What is asked of `fetch`. */
export interface FetchRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly redirect: 'error';
  readonly signal: AbortSignal;
}

/** What is used of the answer of `fetch`. */
export interface FetchResponse {
  readonly status: number;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** `fetch`, as far as it is used. Another one may trust an authority of its own or go by a proxy. */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchResponse>;

/** How somebody on the web is asked. */
export interface WebOptions {
  /** The one of the platform unless given. */
  readonly fetch?: Fetch;
  /** How long an answer may take, 5,000 ms unless given. */
  readonly timeoutMs?: number;
  /** Allows `http:` to other machines than this one, where anybody on the way can forge the answer. */
  readonly allowHttp?: boolean;
}

/** What to send. Its body is in no error. */
export interface JsonRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes it a POST. */
  readonly body?: string;
}

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** An answer, whatever its status; `json` is undefined when its body is no JSON object. */
export interface JsonAnswer {
  readonly status: number;
  readonly json: Json | undefined;
}

const defaultTimeoutMs = 5_000;
const maxBytes = 1_048_576;

/** Asks for JSON, within bounds of time and size, and never follows a redirection to elsewhere. */
export class WebClient {
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #closing = new AbortController();

  constructor({ fetch = globalThis.fetch, timeoutMs }: WebOptions, clock: Clock) {
    this.#fetch = fetch;
    this.#timeoutMs = timeoutMs ?? defaultTimeoutMs;
    if (!(Number.isFinite(this.#timeoutMs) && this.#timeoutMs > 0)) {
      throw new SlimError('invalid-config', `expected a timeoutMs above 0, got ${timeoutMs}`);
    }
    this.#clock = clock;
  }

  /** @throws SlimError `link-failed` when there is no answer, or one that is too long; `aborted` when closed */
  async json({ url, headers = {}, body }: JsonRequest): Promise<JsonAnswer> {
    const timeout = new AbortController();
    const late = (): void => timeout.abort(failed(url, `no answer in ${this.#timeoutMs} ms`));
    const cancel = this.#clock.schedule(this.#timeoutMs, late);
    const signal = AbortSignal.any([timeout.signal, this.#closing.signal]);
    // Browsers do not let theirs be called as a method of something else.
    const fetch = this.#fetch;
    try {
      // A `fetch` that is given may not look at the signal.
      const answer = await unlessAborted(
        signal,
        fetch(url, {
          method: body === undefined ? 'GET' : 'POST',
          headers: { accept: 'application/json', ...headers },
          ...(body !== undefined && { body }),
          redirect: 'error',
          signal,
        }),
      );
      const text = await unlessAborted(signal, readText(url, answer.body));
      return { status: answer.status, json: parse(text) };
    } catch (reason) {
      throw signal.aborted ? signal.reason : asFailure(url, reason);
    } finally {
      cancel();
    }
  }

  /** Gives up what is under way. May be called twice. */
  close(): void {
    this.#closing.abort(new SlimError('aborted', 'the application was closed'));
  }
}

/**
 * A URL that may be asked: `https:`, or `http:` on this machine.
 * @throws SlimError `invalid-config`
 */
export function checkUrl(text: unknown, what: string, { allowHttp = false }: WebOptions): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new SlimError('invalid-config', `expected ${what} to be a URL`);
  if (url.username !== '' || url.password !== '') {
    throw new SlimError('invalid-config', `expected ${what} to be without user and password`);
  }
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && (isLocal || allowHttp))) return url;
  throw new SlimError('invalid-config', `expected ${what} to be https, got ${shown(url.href)}`);
}

/** An answer that is of no use: `what` says why. */
export function failed(url: string, what: string, options?: ErrorOptions): SlimError {
  return new SlimError('link-failed', `${shown(url)}: ${what}`, options);
}

/** Without its query, which may hold what is not to be logged. */
function shown(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

async function readText(url: string, body: FetchResponse['body']): Promise<string> {
  if (!body) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel();
      throw failed(url, `the answer has more than ${maxBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parse(text: string): Json | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function asFailure(url: string, reason: unknown): SlimError {
  if (reason instanceof SlimError) return reason;
  // What `fetch` says itself is "fetch failed"; why is in its cause.
  const why = messageOf(isRecord(reason) ? reason.cause : undefined) ?? messageOf(reason);
  return failed(url, why ?? 'no connection', { cause: reason });
}

function messageOf(reason: unknown): string | undefined {
  if (!isRecord(reason) || typeof reason.message !== 'string') return undefined;
  return reason.message === '' ? undefined : reason.message;
}
