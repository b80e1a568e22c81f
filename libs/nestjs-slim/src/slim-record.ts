import { SlimError, SlimName, type Metadata } from '@nestjs-slim/core';
import type { DeliveryMode } from './client/delivery.js';
import { duration } from './slim-options.js';

/** Shared by all copies of this package, so that a record is known whichever copy made it. */
const recordMark: unique symbol = Symbol.for('nestjs-slim.record');

/** What a single call wants; what is absent is as the client has it. */
export interface SlimRecordOptions {
  readonly timeoutMs?: number;
  readonly metadata?: Metadata;
  readonly mls?: boolean;
  readonly reliable?: boolean;
  readonly mode?: DeliveryMode;
  /** Full name of the one instance to send it to. */
  readonly instance?: SlimName;
  /** The data goes as it is, as a payload of this type. */
  readonly payloadType?: string;
  readonly isIdempotent?: boolean;
  readonly signal?: AbortSignal;
}

/** Data with what a single call wants beside it. Given to `send` and `emit` in place of plain data. */
export class SlimRecord<Data = unknown> {
  readonly data: Data;
  readonly options: SlimRecordOptions;
  readonly [recordMark] = true;

  constructor(data: Data, options: SlimRecordOptions = {}) {
    this.data = data;
    this.options = options;
  }

  /** The record itself, or plain data as a record that wants nothing. */
  static from(data: unknown): SlimRecord {
    return SlimRecord.is(data) ? data : new SlimRecord(data);
  }

  private static is(data: unknown): data is SlimRecord {
    return typeof data === 'object' && data !== null && recordMark in data;
  }
}

/** Builds a `SlimRecord`. What is not set is as the client has it. */
export class SlimRecordBuilder<Data = unknown> {
  private readonly data: Data;
  private options: SlimRecordOptions = {};

  /** `undefined` and `null`, which Nest's clients refuse as data, can be sent in a record. */
  constructor(data: Data) {
    this.data = data;
  }

  /**
   * How long this request waits for its first reply; `Infinity` for ever. A request that is a stream has
   * no limit unless one is set.
   * @throws SlimError `invalid-config`
   */
  setTimeoutMs(timeoutMs: number): this {
    return this.set({ timeoutMs: duration('timeoutMs', timeoutMs, 0) });
  }

  /**
   * What `SlimContext.getMetadata` gives the handler; encrypted with the data, unless a payload type is
   * set: then it is readable for the nodes in between.
   */
  setMetadata(metadata: Metadata): this {
    return this.set({ metadata: { ...metadata } });
  }

  /** Acknowledged, repeated and in order, or none of it. */
  setReliable(reliable: boolean): this {
    return this.set({ reliable });
  }

  /** End-to-end encryption. */
  setMls(mls: boolean): this {
    return this.set({ mls });
  }

  /** To the instance that the calls before went to, whatever the client's `spread`. */
  setSticky(): this {
    return this.set({ mode: 'sticky' });
  }

  /** To whichever instance answers now. Only without MLS: with it, the call is sticky all the same. */
  setAnycast(): this {
    return this.set({ mode: 'anycast' });
  }

  /**
   * To this instance alone: its full name, as `SlimContext.getSource` gives it.
   * @throws SlimError `invalid-name`
   */
  setInstance(instance: SlimName | string): this {
    const name = SlimName.from(instance);
    if (name.isInstance) return this.set({ instance: name });
    throw new SlimError(
      'invalid-name',
      `expected a name with an instance id, got "${String(name)}"`,
    );
  }

  /**
   * Sends the data as it is, as a payload of that type, to an application that knows nothing of Nest; its
   * next message is the answer. The pattern is a name without an operation.
   */
  setPayloadType(payloadType: string): this {
    return this.set({ payloadType });
  }

  /**
   * Handling it twice does no harm: when the instance that was asked is lost or closing, another one is
   * asked, unless the data is a stream.
   */
  setIdempotent(isIdempotent = true): this {
    return this.set({ isIdempotent });
  }

  /** Aborting it cancels the request, which fails with `aborted`. An event is not called back by it. */
  setSignal(signal: AbortSignal): this {
    return this.set({ signal });
  }

  build(): SlimRecord<Data> {
    return new SlimRecord(this.data, this.options);
  }

  private set(options: SlimRecordOptions): this {
    this.options = { ...this.options, ...options };
    return this;
  }
}
