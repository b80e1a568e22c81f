import { Logger } from '@nestjs/common';
import type { Session, SlimError } from '@nestjs-slim/core';

/** Where the link to the node stands. */
export type SlimStatus = 'connected' | 'reconnecting' | 'disconnected';

/** What `on` of a server, client or connection takes. A type, because Nest wants an index signature. */
export type SlimEvents = {
  /** The link changed; `reason` says why it was lost. */
  status: (status: SlimStatus, reason: SlimError | undefined) => void;
  /** An event could not be handled or not be delivered: nobody else is told. */
  error: (error: unknown, pattern: string) => void;
  /** Something was refused, received or to be answered; nothing else is lost. Logged when nobody listens. */
  dropped: (reason: SlimError) => void;
  /** A session with another application began: opened by a client of this one, or served here. */
  sessionOpened: (session: Session) => void;
  /** It is over; `reason` is absent when this side closed it. */
  sessionClosed: (session: Session, reason: SlimError | undefined) => void;
};

/** Listeners by event name, kept as long as their owner, whatever link comes and goes. */
export class SlimListeners {
  private readonly listeners: { readonly [Name in keyof SlimEvents]: Set<SlimEvents[Name]> } = {
    status: new Set(),
    error: new Set(),
    dropped: new Set(),
    sessionOpened: new Set(),
    sessionClosed: new Set(),
  };

  on<Name extends keyof SlimEvents>(name: Name, listener: SlimEvents[Name]): void {
    this.listeners[name].add(listener);
  }

  /** False when nobody listens. A listener that throws is logged; the others are called all the same. */
  emit<Name extends keyof SlimEvents>(
    name: Name,
    ...payload: Parameters<SlimEvents[Name]>
  ): boolean {
    for (const listener of this.listeners[name]) {
      try {
        (listener as (...args: Parameters<SlimEvents[Name]>) => void)(...payload);
      } catch (reason) {
        Logger.error(reason, 'SlimListeners');
      }
    }
    return this.listeners[name].size > 0;
  }
}
