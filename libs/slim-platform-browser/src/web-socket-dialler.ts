import {
  SlimError,
  systemClock,
  unlessAborted,
  type Clock,
  type Link,
  type LinkDialler,
} from '@nestjs-slim/core';
import { BrowserLink } from './browser-link.js';
import type { WebSocketLike } from './web-socket-like.js';

/** How long a dial may take: asking for the token, and until the node agrees to a link. */
const handshakeMs = 20_000;

/** How to reach a node. */
export interface WebSocketDiallerOptions {
  /**
   * Shows the node who asks for a link; asked for at every dial, which fails with what it throws. It goes as `?token=`, because a page
   * cannot set headers, and may so appear in access logs: let it live briefly.
   */
  readonly token?: string | (() => string | Promise<string>);
  readonly clock?: Clock;
  /** Opens a socket; `WebSocket` of the browser unless there is another. */
  readonly connect?: (url: string) => WebSocketLike;
}

/**
 * Dials links over the WebSocket of the browser.
 * @throws SlimError `invalid-config` when the URL is not `ws://host:port/path` or `wss://host:port/path`
 */
export function webSocketDialler(url: string, options: WebSocketDiallerOptions = {}): LinkDialler {
  return new WebSocketDialler(parse(url), options);
}

class WebSocketDialler implements LinkDialler {
  readonly target: string;
  readonly #url: URL;
  readonly #options: WebSocketDiallerOptions;

  constructor(url: URL, options: WebSocketDiallerOptions) {
    // Without the query, where a token may stand.
    this.target = `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
    this.#url = url;
    this.#options = options;
  }

  async dial(signal: AbortSignal): Promise<Link> {
    const { clock = systemClock } = this.#options;
    const stop = new AbortController();
    const abort = (): void => stop.abort(signal.reason);
    const late = new SlimError('link-failed', `no answer within ${handshakeMs} ms`);
    const cancel = clock.schedule(handshakeMs, () => stop.abort(late));
    signal.addEventListener('abort', abort);
    try {
      signal.throwIfAborted();
      return await unlessAborted(stop.signal, this.#open(clock, stop.signal));
    } catch (reason) {
      throw this.#failure(reason, signal);
    } finally {
      signal.removeEventListener('abort', abort);
      cancel();
    }
  }

  async #open(clock: Clock, stop: AbortSignal): Promise<Link> {
    const { connect = newWebSocket } = this.#options;
    const url = await this.#withToken();
    // It may be over before it began: a token may take its time, or never come.
    stop.throwIfAborted();
    const socket = connect(url);
    socket.binaryType = 'arraybuffer';
    stop.addEventListener('abort', () => socket.close());
    return this.#openLink(socket, clock);
  }

  async #withToken(): Promise<string> {
    const { token } = this.#options;
    if (token === undefined) return this.#url.href;
    const url = new URL(this.#url);
    url.searchParams.set('token', typeof token === 'string' ? token : await token());
    return url.href;
  }

  #openLink(socket: WebSocketLike, clock: Clock): Promise<Link> {
    return new Promise((resolve, reject) => {
      // At once, not behind an await: messages that follow closely would be missed.
      socket.addEventListener('open', () => resolve(new BrowserLink(socket, this.target, clock)));
      // Why is not told to pages, only to the console. `error` says no more, and `close` follows it.
      socket.addEventListener('error', () => undefined);
      socket.addEventListener('close', ({ code }) => {
        reject(new SlimError('link-failed', `no link, WebSocket code ${code}`));
      });
    });
  }

  #failure(reason: unknown, signal: AbortSignal): SlimError {
    if (signal.aborted) {
      const what = `dialling ${this.target} was given up`;
      return new SlimError('aborted', what, { cause: signal.reason });
    }
    // What the function for the token has to say.
    if (reason instanceof SlimError && reason.code !== 'link-failed') return reason;
    const text = reason instanceof Error ? reason.message : String(reason);
    return new SlimError('link-failed', `${this.target}: ${text}`, { cause: reason });
  }
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isUsable = url && /^wss?:$/.test(url.protocol) && !url.username && !url.password;
  if (isUsable && !url.hash) return url;
  // Credentials have no place in the URL, and none in the message that says so.
  const shown = text.replace(/\/\/[^/]*@/, '//…@').replace(/\?.*/, '?…');
  const what = `expected ws://host:port/path or wss://host:port/path, got "${shown}"`;
  throw new SlimError('invalid-config', what);
}

function newWebSocket(url: string): WebSocketLike {
  return new WebSocket(url);
}
