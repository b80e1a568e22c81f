import { SlimError, type SlimName } from '@nestjs-slim/core';
import type { SlimConnection } from '../slim-connection.js';
import type { SlimRecord } from '../slim-record.js';
import { isItemSource } from '../streams/pull.js';
import type { ClientCall } from './client-call.js';
import { ClientLife } from './client-life.js';
import { ClientSession } from './client-session.js';
import { ClientSessions, type InstanceSearch } from './client-sessions.js';
import { delivery, type Delivery } from './delivery.js';
import { isLoss } from './loss.js';
import type { Outgoing } from './outgoing.js';
import { PlainCalls } from './plain-calls.js';

/** What a client sends by, until it is closed: sessions with services of this library and with others. */
export class Outbound {
  private readonly connection: SlimConnection;
  private readonly life: ClientLife;
  private readonly sessions: ClientSessions;
  private readonly plain: PlainCalls;

  constructor(connection: SlimConnection) {
    this.connection = connection;
    this.life = new ClientLife(connection);
    this.sessions = new ClientSessions(this.life);
    this.plain = new PlainCalls(this.life);
  }

  get isClosed(): boolean {
    return this.life.isOver;
  }

  /** Every instance that answers to a name now. @throws SlimError as `SlimApp.instances` */
  instances(target: SlimName, search: InstanceSearch): AsyncIterable<SlimName> {
    return this.sessions.instances(target, search);
  }

  /** Asks. Never fails: the call hears of it. */
  request(outgoing: Outgoing, call: ClientCall): void {
    const { record, operation, target, metadata } = outgoing;
    const asked =
      record.options.payloadType === undefined
        ? this.sessions.to(target, this.deliveryOf(record))
        : this.askPlain(outgoing, call);
    if (asked instanceof ClientSession) {
      asked.request({ operation, data: record.data, metadata }, call);
      return;
    }
    asked
      .then((session) => {
        if (call.isOver) return;
        session?.request({ operation, data: record.data, metadata }, call);
      })
      .catch((reason: unknown) => {
        if (isLoss(reason)) call.lost(reason);
        else call.fail(reason);
      });
  }

  /**
   * Tells. An event to a channel of this application is for everybody in it.
   * @throws SlimError as `Session.publish` and `SlimApp.openSession`, `malformed-frame` for a stream
   */
  async tell({ record, operation, target, metadata }: Outgoing): Promise<void> {
    const { data, options } = record;
    if (isItemSource(data)) throw noStream('an event');
    const isPlainName = operation === '' && !target.isInstance;
    const channel = isPlainName ? this.connection.channels?.find(target.service) : undefined;
    if (channel) return channel.tell(data, { metadata });
    const { payloadType } = options;
    const wanted = this.deliveryOf(record);
    if (payloadType !== undefined) {
      return this.plain.emit(target, { data, payloadType, metadata, delivery: wanted });
    }
    const session = await this.sessions.to(target, wanted);
    return session.emit({ operation, data, metadata });
  }

  /** Fails what waits for an answer; ends every session and every attempt to open one. */
  async close(): Promise<void> {
    this.life.end();
    await Promise.all([this.sessions.close(), this.plain.close()]);
  }

  /** Asks an application of another kind. @throws SlimError as `PlainCalls.request` */
  private async askPlain(outgoing: Outgoing, call: ClientCall): Promise<undefined> {
    const { record, target, metadata } = outgoing;
    const { data, options } = record;
    if (isItemSource(data)) throw noStream('a payload of its own type');
    const { payloadType = '' } = options;
    const message = { data, payloadType, metadata, delivery: this.deliveryOf(record) };
    await this.plain.request(target, message, call);
  }

  private deliveryOf({ options }: SlimRecord): Delivery {
    return delivery(this.connection.settings, options);
  }
}

function noStream(what: string): SlimError {
  return new SlimError('malformed-frame', `${what} cannot be a stream`);
}
