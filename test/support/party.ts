import { sharedSecret, type Channel, type SlimApp as App } from '@nestjs-slim/core';
import { SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { freePort } from './free-port.js';
import { NativePeer, type NativeSession, type NativeSessionOptions } from './native-peer.js';
import { firstChannel, texts } from './sessions.js';

/** A node to connect to, of either implementation. */
export const startNode = {
  'the official node': async () => {
    const node = await NativePeer.start();
    return { url: await node.startNode(await freePort()), stop: () => node.stop() };
  },
  'our node': async () => {
    const node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
    return { url: node.url ?? '', stop: () => node.close() };
  },
};

/** One application in one channel, whichever implementation it is of. */
export interface Party {
  /** `org/namespace/service` of the application. */
  readonly name: string;
  create(channel: string, options: NativeSessionOptions): Promise<void>;
  /** Waits until it is invited, and is in that channel from then on. */
  accept(): Promise<void>;
  invite(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Publishes prefix0, prefix1, … and waits until all have them. */
  publish(count: number, prefix: string): Promise<void>;
  /** The next messages of all others. */
  receive(count: number): Promise<readonly string[]>;
  /** Names of everybody in the channel that is online. */
  online(): Promise<readonly string[]>;
  goOffline(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
  /** Settles when another side ended the channel. */
  ended(): Promise<void>;
  stop(): Promise<void>;
}

/** How to connect. */
export interface PartyOptions {
  readonly url: string;
  readonly name: string;
  readonly secret: string;
}

/** An application of the official implementation. */
export class OfficialParty implements Party {
  readonly name: string;
  readonly peer: NativePeer;
  #session: NativeSession | undefined;

  private constructor(name: string, peer: NativePeer) {
    this.name = name;
    this.peer = peer;
  }

  static async start({ url, name, secret }: PartyOptions): Promise<OfficialParty> {
    const peer = await NativePeer.start();
    await peer.connect(url);
    await peer.app({ name, secret });
    return new OfficialParty(name, peer);
  }

  get session(): NativeSession {
    if (this.#session) return this.#session;
    throw new Error(`${this.name} is in no channel`);
  }

  async create(channel: string, options: NativeSessionOptions): Promise<void> {
    this.#session = await this.peer.createGroup(channel, options);
  }

  async accept(): Promise<void> {
    this.#session = await this.peer.accept();
  }

  async invite(name: string): Promise<void> {
    await this.peer.invite(this.session, name);
  }

  async remove(name: string): Promise<void> {
    await this.peer.remove(this.session, name);
  }

  async publish(count: number, prefix: string): Promise<void> {
    await this.peer.publishMany(this.session, count, prefix, { wait: true });
  }

  async receive(count: number): Promise<readonly string[]> {
    const { messages, errors, ended } = await this.peer.receiveSome(this.session, count, 15_000);
    // The moderator is told in its stream when a member leaves; nothing else may go wrong.
    const faults = errors.filter((error) => !error.startsWith('participant disconnected'));
    if (ended === 'count' && faults.length === 0) return messages.map(({ text }) => text);
    const how = [ended, ...faults].join('; ');
    throw new Error(`${this.name} received ${messages.length} of ${count} messages: ${how}`);
  }

  async online(): Promise<readonly string[]> {
    const participants = await this.peer.participants(this.session);
    return participants.flatMap(({ name, online }) => (online ? [name] : [])).toSorted();
  }

  async goOffline(): Promise<void> {
    await this.peer.close(this.session, { soft: true });
  }

  async comeBack(): Promise<void> {
    await this.peer.rejoin(this.session);
  }

  async close(): Promise<void> {
    await this.peer.close(this.session);
  }

  async ended(): Promise<void> {
    const { ended } = await this.peer.receiveSome(this.session, 1, 5_000);
    if (ended !== 'closed') throw new Error(`${this.name} is in the channel still: ${ended}`);
  }

  stop(): Promise<void> {
    return this.peer.stop();
  }
}

/** An application of ours. */
export class OurParty implements Party {
  readonly name: string;
  readonly app: App;
  #channel: Channel | undefined;

  private constructor(name: string, app: App) {
    this.name = name;
    this.app = app;
  }

  static async start({ url, name, secret }: PartyOptions): Promise<OurParty> {
    const identity = sharedSecret({ secret });
    return new OurParty(name, await SlimApp.connect({ name, identity, node: url }));
  }

  get channel(): Channel {
    if (this.#channel) return this.#channel;
    throw new Error(`${this.name} is in no channel`);
  }

  async create(channel: string, options: NativeSessionOptions): Promise<void> {
    this.#channel = await this.app.createChannel(channel, options);
  }

  async accept(): Promise<void> {
    this.#channel = await firstChannel(this.app);
  }

  async invite(name: string): Promise<void> {
    await this.channel.invite(name);
  }

  async remove(name: string): Promise<void> {
    await this.channel.remove(name);
  }

  async publish(count: number, prefix: string): Promise<void> {
    const published = Array.from({ length: count }, (_, index) =>
      this.channel.publish(Buffer.from(`${prefix}${index}`)),
    );
    await Promise.all(published);
  }

  async receive(count: number): Promise<readonly string[]> {
    return (await texts(this.channel, count)).map(({ text }) => text);
  }

  online(): Promise<readonly string[]> {
    const names = this.channel
      .participants()
      .flatMap(({ name, online }) => (online ? [name.service] : []));
    return Promise.resolve(names.toSorted());
  }

  goOffline(): Promise<void> {
    return this.channel.goOffline();
  }

  comeBack(): Promise<void> {
    return this.channel.comeBack();
  }

  async close(): Promise<void> {
    await this.channel.close();
  }

  async ended(): Promise<void> {
    const reason = await this.channel.ended;
    if (reason?.code !== 'session-closed') throw new Error(`ended by ${String(reason)}`);
  }

  stop(): Promise<void> {
    return this.app.close();
  }
}
