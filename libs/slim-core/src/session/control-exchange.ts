import { SlimError } from '../errors/slim-error.js';
import {
  participant,
  participantState,
  type CommandPayload,
  type Participant,
} from '../wire/command-payload.js';
import { fanout } from '../wire/header.js';
import type { TextMap } from '../wire/schema.js';
import { messageType, type MessageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { BaseSession } from './base-session.js';
import type { ControlRequest } from './control-requests.js';
import type { Incoming } from './incoming.js';
import { randomMessageId } from './session-context.js';

/** A control message that wants an answer. Timers are the session's unless given. */
export interface Question {
  readonly command: Partial<CommandPayload>;
  readonly metadata?: TextMap;
  readonly answeredBy: MessageType | readonly MessageType[];
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
  const unanswered = (): SlimError =>
    new SlimError('timeout', `${destination.text} does not answer`);
  return session.requests.request(
    toRequest(session, question, (id) => session.send(destination, type, { id, ...question })),
    question.unanswered ?? unanswered,
  );
}

/** Tells the moderator that this side leaves, and waits until it knows. */
export async function askToLeave(session: BaseSession, moderator: WireName): Promise<void> {
  await ask(session, moderator, messageType.leaveRequest, {
    command: { leaveRequest: {} },
    metadata: new Map([['LEAVING_SESSION', 'TRUE']]),
    answeredBy: messageType.leaveReply,
  });
}

/** A question to everybody on a channel, answered by each of some members. */
export interface Survey extends Question {
  readonly members: Iterable<string>;
  /** Sees each answer and may end the wait. */
  readonly isEnough?: (answer: Incoming) => boolean;
}

/** Sends a control message to a channel; settles with the members that never answered. */
export function askAll(
  session: BaseSession,
  channel: WireName,
  type: MessageType,
  survey: Survey,
): Promise<ReadonlySet<string>> {
  return session.requests.collect(
    toRequest(session, survey, (id) => session.send(channel, type, { id, ...survey }, fanout.all)),
    survey.members,
    survey.isEnough,
  );
}

function toRequest(
  session: BaseSession,
  question: Question,
  transmit: (id: number) => void,
): ControlRequest {
  const { policy } = session.setup;
  const messageId = randomMessageId(session.context.crypto);
  return {
    messageId,
    answeredBy: [question.answeredBy].flat(),
    intervalMs: question.intervalMs ?? policy.intervalMs,
    maxRetries: question.maxRetries ?? policy.maxRetries,
    signal: question.signal,
    transmit: () => transmit(messageId),
  };
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
