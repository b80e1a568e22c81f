import type { SlimError } from '../errors/slim-error.js';
import type { ChannelSetup } from './channel-role.js';
import type { SessionContext } from './session-context.js';

/** A channel as far as it subscribes. */
interface Subscriber {
  readonly context: Pick<SessionContext, 'subscribe' | 'unsubscribe'>;
  readonly setup: Pick<ChannelSetup, 'channel' | 'control'>;
  readonly endReason: SlimError | undefined;
}

/**
 * Receives what is sent to a channel, until it ends. Returns false when it did meanwhile.
 * @throws SlimError `timeout`, `link-failed`, `link-closed`
 */
export async function subscribeChannel(session: Subscriber): Promise<boolean> {
  for (const name of namesOf(session)) {
    if (!session.endReason) await session.context.subscribe(name);
  }
  return session.endReason === undefined;
}

/** Receives nothing of it any more. */
export function unsubscribeChannel(session: Subscriber): void {
  for (const name of namesOf(session)) {
    session.context.unsubscribe(name).catch(() => {
      // The link went away, and the subscription with it.
    });
  }
}

/** Where its messages go, and its control messages. */
const namesOf = ({ setup }: Subscriber) => [setup.channel, setup.control];
