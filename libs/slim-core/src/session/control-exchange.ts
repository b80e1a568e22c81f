import { SlimError } from '../errors/slim-error.js';
import {
  participant,
  participantState,
  type CommandPayload,
  type Participant,
} from '../wire/command-payload.js';
import type { TextMap } from '../wire/schema.js';
import type { MessageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { Incoming } from './incoming.js';
import type { BaseSession } from './base-session.js';
import { randomMessageId } from './session-context.js';

/** A control message that wants an answer. Timers are the session's unless given. */
export interface Question {
  readonly command: Partial<CommandPayload>;
  readonly metadata?: TextMap;
  readonly answeredBy: MessageType;
  readonly intervalMs?: number;
  readonly maxRetries?: number;
  readonly signal?: AbortSignal | undefined;
  readonly unanswered?: () => SlimError;
}

/**
 * Sends a control message and waits for its answer, repeating it meanwhile.
 * @throws SlimError `timeout` unless the question says otherwise, `aborted`, or why the session ended
 */
export function ask(
  session: BaseSession,
  destination: WireName,
  type: MessageType,
  question: Question,
): Promise<Incoming> {
  const { policy } = session.setup;
  const id = randomMessageId(session.context.crypto);
  return session.requests.request({
    messageId: id,
    answeredBy: question.answeredBy,
    intervalMs: question.intervalMs ?? policy.intervalMs,
    maxRetries: question.maxRetries ?? policy.maxRetries,
    signal: question.signal,
    unanswered:
      question.unanswered ??
      (() => new SlimError('timeout', `${destination.text} does not answer`)),
    transmit: () => session.send(destination, type, { id, ...question }),
  });
}

/** A participant that sends and receives. */
export function online(name: WireName): Participant {
  return participant.make({
    name,
    settings: { sendsData: true, receivesData: true },
    status: participantState.online,
  });
}

/** A control message that this side does not expect. */
export function unexpected({ session }: Incoming): SlimError {
  return new SlimError('malformed-frame', `unexpected control message ${session.messageType}`);
}
