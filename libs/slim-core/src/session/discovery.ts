import { SlimError } from '../errors/slim-error.js';
import type { SlimName } from '../names/slim-name.js';
import { fanout } from '../wire/header.js';
import { messageType, sessionType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { BaseSession, type SessionOwner, type SessionSetup } from './base-session.js';
import { ask } from './control-exchange.js';
import type { Incoming } from './incoming.js';
import { randomMessageId, type SessionContext } from './session-context.js';

/** How long to look for somebody who answers to a name. */
export interface DiscoveryOptions {
  readonly discoveryMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Requests within the time for discovery: to one of those who have the name, and to all of them. */
const triesForOne = 4;
const triesForAll = 2;
/** Further instances are not told of: somebody may make them up. */
const maxInstances = 1_024;

/**
 * Finds one of those who answer to a name (reference: sessions 4.1).
 * @throws SlimError `no-route` when nobody does, `identity-rejected`, `aborted`
 */
export async function discover(
  session: BaseSession,
  target: WireName,
  { discoveryMs, signal }: DiscoveryOptions,
): Promise<WireName> {
  const reply = await ask(session, target, messageType.discoveryRequest, {
    command: { discoveryRequest: {} },
    answeredBy: messageType.discoveryReply,
    intervalMs: discoveryMs / triesForOne,
    maxRetries: triesForOne - 1,
    signal,
    unanswered: () =>
      new SlimError('no-route', `nobody answers at "${target.text}" (asked for ${discoveryMs} ms)`),
  });
  return answerer(reply, target);
}

/** Looks for those who answer to a name, and opens nothing. */
export class Discovery extends BaseSession {
  constructor(context: SessionContext, setup: SessionSetup, owner: SessionOwner) {
    super(sessionType.pointToPoint, context, setup, owner);
  }

  /** See `discover`. */
  async one(target: WireName, options: DiscoveryOptions): Promise<SlimName> {
    return (await discover(this, target, options)).slimName;
  }

  /**
   * Tells of each instance once, until the time is over.
   * @throws SlimError `aborted`, or why the application ended
   */
  async all(
    target: WireName,
    { discoveryMs, signal }: DiscoveryOptions,
    found: (name: SlimName) => void,
  ): Promise<void> {
    const known = new Set<string>();
    const id = randomMessageId(this.context.crypto);
    const command = { discoveryRequest: {} };
    await this.requests.gather(
      {
        messageId: id,
        answeredBy: [messageType.discoveryReply],
        intervalMs: discoveryMs / triesForAll,
        maxRetries: triesForAll - 1,
        signal,
        transmit: () =>
          this.send(target, messageType.discoveryRequest, { id, command }, fanout.all),
      },
      (reply) => {
        const name = answerer(reply, target);
        if (known.has(name.key) || known.size === maxInstances) return;
        known.add(name.key);
        found(name.slimName);
      },
    );
  }

  publish(): Promise<void> {
    return Promise.reject(new SlimError('session-closed', 'nothing is published while searching'));
  }

  protected override handle(incoming: Incoming): void {
    this.requests.answer(incoming);
  }

  protected override leave(): Promise<void> {
    return Promise.resolve();
  }

  protected override reply(): Promise<void> {
    return this.publish();
  }

  /** What waits for answers is stopped by the end of the session. */
  protected override stop(): void {
    return undefined;
  }
}

function answerer({ source }: Incoming, target: WireName): WireName {
  if (source.prefix === target.prefix) return source;
  throw new SlimError('identity-rejected', `asked "${target.text}", ${source.text} answered`);
}
