import type { Metadata } from '@nestjs-slim/core';
import { duration } from './slim-options.js';

/** Shared by all copies of this package, so that a record is known whichever copy made it. */
const recordMark: unique symbol = Symbol.for('nestjs-slim.record');

/** Data with what a single call wants beside it. Given to `send` and `emit` in place of plain data. */
export class SlimRecord<Data = unknown> {
  readonly data: Data;
  readonly timeoutMs: number | undefined;
  readonly metadata: Metadata;
  readonly [recordMark] = true;

  constructor(data: Data, timeoutMs: number | undefined, metadata: Metadata) {
    this.data = data;
    this.timeoutMs = timeoutMs;
    this.metadata = metadata;
  }

  /** The record itself, or plain data as a record that wants nothing. */
  static from(data: unknown): SlimRecord {
    return SlimRecord.is(data) ? data : new SlimRecord(data, undefined, {});
  }

  private static is(data: unknown): data is SlimRecord {
    return typeof data === 'object' && data !== null && recordMark in data;
  }
}

/** Builds a `SlimRecord`. */
export class SlimRecordBuilder<Data = unknown> {
  private readonly data: Data;
  private timeoutMs: number | undefined;
  private metadata: Metadata = {};

  /** `undefined` and `null`, which Nest's clients refuse as data, can be sent in a record. */
  constructor(data: Data) {
    this.data = data;
  }

  /**
   * How long this request waits for its first reply; `Infinity` for ever.
   * @throws SlimError `invalid-config`
   */
  setTimeoutMs(timeoutMs: number): this {
    this.timeoutMs = duration('timeoutMs', timeoutMs, 0);
    return this;
  }

  /** What `SlimContext.getMetadata` gives the handler; encrypted with the data. */
  setMetadata(metadata: Metadata): this {
    this.metadata = { ...metadata };
    return this;
  }

  build(): SlimRecord<Data> {
    return new SlimRecord(this.data, this.timeoutMs, this.metadata);
  }
}
