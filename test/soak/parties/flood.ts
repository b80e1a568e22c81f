import { setTimeout } from 'node:timers/promises';
import { SlimError, type SlimApp as App } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';
import { backoff, dialler, memberIdentity, type Keys } from './identities.js';

const messageBytes = 16_384;
const pauseMs = 2;

/** Sends more than a reader that stands still can take, on a session that promises nothing. */
export class Flood {
  readonly #app: App;
  #isClosed = false;

  private constructor(app: App) {
    this.#app = app;
  }

  static async start(nodes: readonly string[], keys: Keys): Promise<Flood> {
    const app = await SlimApp.connect({
      name: 'soak/ops/flood',
      identity: memberIdentity(keys),
      node: nodes.map((url) => dialler(url, keys)),
      backoff,
    });
    return new Flood(app);
  }

  /** Answers how many were sent; fewer than there was time for when the reader went away. */
  async send(seconds: number): Promise<{ readonly sent: number }> {
    const endMs = Date.now() + seconds * 1_000;
    const payload = new Uint8Array(messageBytes);
    let sent = 0;
    try {
      const session = await this.#app.openSession('soak/ops/sink', {
        mls: false,
        reliable: false,
      });
      while (Date.now() < endMs && !this.#isClosed) {
        await session.publish(payload);
        sent += 1;
        await setTimeout(pauseMs);
      }
      await session.close();
    } catch (reason) {
      if (!(reason instanceof SlimError)) throw reason;
    }
    return { sent };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#app.close();
  }
}
