import type { IncomingMessage } from 'node:http';
import { SlimError, type Clock } from '@nestjs-slim/core';
import { jsonAnswer, textAnswer, type Answer } from './answer.js';
import { LinkRateMeter } from './link-rates.js';
import { NodeMetrics } from './node-metrics.js';
import type { ObservedNode } from './observed-node.js';
import type { PageFile } from './page-files.js';
import { RouteList } from './route-list.js';
import { nodeStatus } from './status.js';
import { parseStatusQuery } from './status-query.js';
import { TrafficHistory } from './traffic-history.js';

/** What the admin port shows of a node. */
export interface AdminPortOptions {
  readonly node: ObservedNode;
  readonly clock: Clock;
  readonly version: string;
  readonly files: ReadonlyMap<string, PageFile>;
}

/** Answers what is asked at the admin port. It only reads: nothing can be changed here. */
export class AdminPort {
  readonly #node: ObservedNode;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #version: string;
  readonly #metrics: NodeMetrics;
  readonly #rates: LinkRateMeter;
  readonly #routes: RouteList;
  readonly #history: TrafficHistory;

  constructor({ node, clock, version, files }: AdminPortOptions) {
    this.#node = node;
    this.#files = files;
    this.#version = version;
    this.#metrics = new NodeMetrics(node, version);
    this.#rates = new LinkRateMeter(node, clock);
    this.#routes = new RouteList(node, clock);
    this.#history = new TrafficHistory(() => node.counters, clock);
  }

  async answer({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): Promise<Answer> {
    if (method !== 'GET' && method !== 'HEAD') {
      const refusal = textAnswer(405, `expected GET or HEAD, got ${method}`);
      return { ...refusal, headers: { allow: 'GET, HEAD' } };
    }
    const [path = '/', query = ''] = url.split('?', 2);
    const file = this.#files.get(path);
    if (file) return { status: 200, type: file.type, body: file.bytes };
    switch (path) {
      case '/healthz':
        return textAnswer(200, 'alive');
      case '/readyz':
        return this.#readiness();
      case '/metrics':
        return { status: 200, type: this.#metrics.contentType, body: await this.#metrics.text() };
      case '/status.json':
        return this.#status(new URLSearchParams(query));
      default:
        return textAnswer(404, 'there is /, /status.json, /metrics, /healthz and /readyz');
    }
  }

  /** May be called twice. */
  close(): void {
    this.#history.close();
  }

  /** A node is there only once it listens. */
  #readiness(): Answer {
    const { state } = this.#node.snapshot();
    return state === 'running' ? textAnswer(200, 'ready') : textAnswer(503, state);
  }

  #status(query: URLSearchParams): Answer {
    try {
      const asked = parseStatusQuery(query);
      const parts = {
        sample: this.#rates.sample(),
        routes: this.#routes.routes,
        traffic: this.#history.traffic,
        version: this.#version,
      };
      return jsonAnswer(200, nodeStatus(parts, asked));
    } catch (reason) {
      if (!(reason instanceof SlimError) || reason.code !== 'invalid-config') throw reason;
      return jsonAnswer(400, { code: reason.code, message: reason.message });
    }
  }
}
