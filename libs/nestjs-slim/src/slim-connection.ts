import type { OnApplicationShutdown } from '@nestjs/common';
import {
  SlimError,
  type Channel,
  type Invitation,
  type Metadata,
  type Session,
  type SlimName,
} from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { CallTimers } from './in-flight/call-timers.js';
import { DroppedLog } from './dropped-log.js';
import { SlimListeners, type SlimEvents, type SlimStatus } from './slim-events.js';
import { checkOptions, type SlimOptions, type SlimSettings } from './slim-options.js';

/** What a connection asks of whoever looks after the channels of the application. */
export interface ChannelHost {
  /** Decides on an invitation to a channel. */
  accepts(invitation: Invitation): boolean | Promise<boolean>;
  /** The application is in a channel that it was invited to. */
  joined(channel: Channel): void;
  /** There is a connection: channels of before a crash can go on. */
  resume(): void;
  /** The channel of that name, when it is one of the application's. */
  find(
    service: string,
  ): { tell(data: unknown, options: { metadata: Metadata }): Promise<void> } | undefined;
}

type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'connecting';
      readonly app: Promise<SlimApp>;
      readonly abort: AbortController;
    }
  | { readonly kind: 'connected'; readonly app: SlimApp; readonly stopListening: () => void }
  | { readonly kind: 'closing'; readonly done: Promise<void> };

const statusOf = {
  connected: 'connected',
  reconnecting: 'reconnecting',
  closed: 'disconnected',
} as const;

/**
 * The one application object of a Nest application, shared by its server and its clients. Nothing is
 * connected before it is needed; after `close` it can be connected again.
 */
export class SlimConnection implements OnApplicationShutdown {
  readonly settings: SlimSettings;
  readonly events = new SlimListeners();
  /** The clock of the calls of its server and its clients. */
  readonly callTimers: CallTimers;
  private readonly droppedLog: DroppedLog;
  /** Without it every invitation to a channel is refused. */
  channels: ChannelHost | undefined;
  private readonly currentStatus = new BehaviorSubject<SlimStatus>('disconnected');
  private state: State = { kind: 'idle' };
  private acceptor: ((session: Session) => void) | undefined;
  private readonly taken = new WeakSet<Session | Channel>();
  private closings = 0;

  /** @throws SlimError `invalid-config`, `invalid-name` */
  constructor(options: SlimOptions) {
    this.settings = checkOptions(options);
    this.callTimers = new CallTimers(this.settings.clock);
    this.droppedLog = new DroppedLog(this.settings.clock);
  }

  /** The name of this service. */
  get name(): SlimName {
    return this.settings.name;
  }

  /** Begins with the status at the time of subscription. */
  get status(): Observable<SlimStatus> {
    return this.currentStatus.pipe(distinctUntilChanged());
  }

  /** @throws SlimError `link-closed` when not connected */
  get app(): SlimApp {
    if (this.state.kind === 'connected') return this.state.app;
    throw this.notConnected();
  }

  /** May be called at any time, before connecting too. */
  on<Name extends keyof SlimEvents>(name: Name, listener: SlimEvents[Name]): void {
    this.events.on(name, listener);
  }

  /**
   * Connects, or gives the connection that there is. A failure is not remembered: the next call tries again.
   * @throws SlimError `link-failed`, `negotiation-failed`, `invalid-config`, `store-failed`, `aborted`
   */
  connect(): Promise<SlimApp> {
    const { state } = this;
    switch (state.kind) {
      case 'connected':
        return Promise.resolve(state.app);
      case 'connecting':
        return state.app;
      case 'closing':
        return this.connectAfter(state.done);
      case 'idle':
        return this.open();
    }
  }

  /** Ends every session, then the link. May be called twice. */
  close(): Promise<void> {
    return this.closeAfter(() => Promise.resolve());
  }

  /** Closes when `work` is done. Whoever connects from now on, while it is at work too, gets the next link. */
  async closeAfter(work: () => Promise<unknown>): Promise<void> {
    const { state } = this;
    this.closings += 1;
    if (state.kind === 'idle') return void (await work());
    if (state.kind === 'closing') return void (await Promise.all([work(), state.done]));
    // Not before the state says so: whatever the work ends may want to connect again.
    const done = Promise.resolve().then(() => this.end(state, work));
    this.state = { kind: 'closing', done };
    return done;
  }

  /** Called by Nest, after the server was closed. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /**
   * Hands sessions that others open to `accept`, until the returned function is called; from then on
   * whoever looks for the name finds other instances.
   * @throws SlimError `invalid-config` when there is somebody who accepts them, `link-closed`
   */
  serve(accept: (session: Session) => void): () => void {
    if (this.acceptor) {
      throw new SlimError('invalid-config', `"${this.name.service}" is served already`);
    }
    if (this.state.kind !== 'connected') throw this.notConnected();
    const { app } = this.state;
    this.acceptor = accept;
    app.discoverable = true;
    for (const session of this.restored(app)) {
      if (session.kind === 'session') this.handOver(session, accept);
    }
    return () => {
      if (this.acceptor !== accept) return;
      this.acceptor = undefined;
      app.discoverable = false;
    };
  }

  /** Something was refused. Listeners hear of it or, when there are none, whoever reads the log. */
  dropped(reason: SlimError): void {
    if (!this.events.emit('dropped', reason)) this.droppedLog.add(reason);
  }

  /** Channels of before a crash that somebody wants to go on with; each is given once. */
  resumed(isWanted: (channel: Channel) => boolean): readonly Channel[] {
    if (this.state.kind !== 'connected') return [];
    const found = this.restored(this.state.app).flatMap((session) =>
      session.kind === 'channel' && isWanted(session) ? [session] : [],
    );
    for (const channel of found) this.taken.add(channel);
    return found;
  }

  /** Has listeners hear of a session, and of its end. */
  announce(session: Session): void {
    this.events.emit('sessionOpened', session);
    void session.ended.then((reason) => this.events.emit('sessionClosed', session, reason));
  }

  /** @throws SlimError `aborted` when it is closed once more, and as `connect` */
  private async connectAfter(closing: Promise<void>): Promise<SlimApp> {
    const { closings } = this;
    await closing;
    if (closings !== this.closings) throw new SlimError('aborted', 'closed while connecting');
    return this.connect();
  }

  private open(): Promise<SlimApp> {
    const abort = new AbortController();
    const app = SlimApp.connect({
      ...this.settings.app,
      signal: abort.signal,
      // Without a server the other side is refused at once rather than left to wait.
      accept: (invitation) =>
        invitation.channel
          ? (this.channels?.accepts(invitation) ?? false)
          : this.acceptor !== undefined,
    }).then(
      async (opened) => {
        if (this.state === connecting) return this.connected(opened);
        await opened.close();
        throw new SlimError('aborted', 'closed while connecting');
      },
      (reason: unknown) => {
        if (this.state === connecting) this.state = { kind: 'idle' };
        throw reason;
      },
    );
    const connecting: State = { kind: 'connecting', app, abort };
    this.state = connecting;
    return app;
  }

  private connected(app: SlimApp): SlimApp {
    const stop = [
      app.on('status', ({ status, reason }) => {
        if (status === 'closed') this.ended(app);
        this.setStatus(statusOf[status], reason);
      }),
      app.on('dropped', (reason) => this.dropped(reason)),
    ];
    const stopListening = (): void => stop.forEach((off) => off());
    this.state = { kind: 'connected', app, stopListening };
    this.callTimers.work();
    this.closeOwn(app);
    this.channels?.resume();
    void this.read(app);
    this.setStatus(statusOf[app.status], undefined);
    return app;
  }

  /** Sessions that this side opened before a crash: nobody waits any more for what comes in them. */
  private closeOwn(app: SlimApp): void {
    for (const session of this.restored(app)) {
      if (session.kind !== 'session' || !session.isInitiator) continue;
      this.taken.add(session);
      void session.close();
    }
  }

  /** Somebody closed the application object itself. */
  private ended(app: SlimApp): void {
    if (this.state.kind !== 'connected' || this.state.app !== app) return;
    this.state = { kind: 'idle' };
    this.callTimers.rest();
  }

  private async end(
    state: Extract<State, { kind: 'connecting' | 'connected' }>,
    work: () => Promise<unknown>,
  ): Promise<void> {
    try {
      if (state.kind === 'connected') {
        // From here on the status is ours to tell: a late event must not touch the next connection.
        state.stopListening();
        await work();
        await state.app.close();
      } else {
        state.abort.abort(new SlimError('aborted', 'closed while connecting'));
        // Its failure is reported to those who wait for the connection.
        await state.app.catch(() => undefined);
        await work();
      }
    } finally {
      this.state = { kind: 'idle' };
      this.callTimers.rest();
      this.setStatus('disconnected', undefined);
    }
  }

  private setStatus(status: SlimStatus, reason: SlimError | undefined): void {
    if (this.currentStatus.value === status) return;
    this.currentStatus.next(status);
    this.events.emit('status', status, reason);
  }

  private async read(app: SlimApp): Promise<void> {
    for await (const session of app.sessions()) {
      if (session.kind === 'channel' && this.channels) this.channels.joined(session);
      else if (session.kind === 'session' && this.acceptor) this.handOver(session, this.acceptor);
      // The server was closed since the session was accepted.
      else void session.close();
    }
  }

  /** Sessions of before a crash that nobody took yet. */
  private restored(app: SlimApp): readonly (Session | Channel)[] {
    return app.restored.filter((session) => !this.taken.has(session));
  }

  private handOver(session: Session, accept: (session: Session) => void): void {
    this.taken.add(session);
    this.announce(session);
    accept(session);
  }

  private notConnected(): SlimError {
    return new SlimError('link-closed', `"${this.name.service}" is not connected`);
  }
}
