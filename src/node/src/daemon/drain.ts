import type { SlimNode } from '@nestjs-slim/platform-node';
import type { NodeLog } from '../admin/index.js';

/** Ends a node in order, once. */
export class Drain {
  readonly #node: SlimNode;
  readonly #lines: NodeLog;
  readonly #deadlineMs: number;
  #closing: Promise<void> | undefined;

  constructor(node: SlimNode, lines: NodeLog, deadlineMs: number) {
    this.#node = node;
    this.#lines = lines;
    this.#deadlineMs = deadlineMs;
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    this.#lines.draining(this.#deadlineMs);
    await this.#node.close({ deadlineMs: this.#deadlineMs });
    this.#lines.stopped(this.#node);
  }
}
