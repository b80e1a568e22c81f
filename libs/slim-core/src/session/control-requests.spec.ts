import { beforeAll, describe, expect, it } from '@jest/globals';
import { SlimError } from '../errors/slim-error.js';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, wireNameOf } from '../testing/frames.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { messageType, sessionHeader } from '../wire/session-header.js';
import { ControlRequests, type ControlRequest } from './control-requests.js';
import { toIncoming, type Incoming } from './incoming.js';

beforeAll(loadNameHash);

const closed = new SlimError('session-closed', 'the session is closed');
const { joinReply, groupAck, groupNack } = messageType;

/** A control message of that type and id, from one member of the channel. */
function answerOf(type: number, id: number, from = 'bob'): Incoming {
  const { publish } = publishTo(wireNameOf('org/ns/alice'), {
    source: wireNameOf(`org/ns/${from}`),
  });
  const session = sessionHeader.make({ messageType: type, messageId: id });
  const incoming = toIncoming({
    subscribe: undefined,
    unsubscribe: undefined,
    publish: publish && { ...publish, session },
    metadata: new Map(),
    link: undefined,
    subscriptionAck: undefined,
  });
  if (!incoming) throw new Error('not a publish');
  return incoming;
}

const keyOf = (member: string): string => wireNameOf(`org/ns/${member}`).key;

function setup() {
  const clock = new ManualClock();
  const requests = new ControlRequests(clock);
  const log: string[] = [];
  const question = (changes: Partial<ControlRequest> = {}): ControlRequest => ({
    messageId: 7,
    answeredBy: [joinReply],
    transmit: () => log.push(`sent ${changes.messageId ?? 7}`),
    intervalMs: 1_000,
    maxRetries: 2,
    ...changes,
  });
  const unanswered = (): SlimError => new SlimError('timeout', 'nobody answers');
  /** Asks for one answer and writes down how that ended. */
  const ask = (changes: Partial<ControlRequest> = {}): void => {
    requests.request(question(changes), unanswered).then(
      ({ session }) => log.push(`answer ${session.messageType}`),
      (reason: SlimError) => log.push(reason.code),
    );
  };
  /** Asks for the answers of several members, of which a refusal is enough. */
  const askAll = (members: readonly string[], changes: Partial<ControlRequest> = {}): void => {
    const names = new Map(members.map((member) => [keyOf(member), member]));
    const isEnough = ({ source, session }: Incoming): boolean => {
      log.push(`answer of ${names.get(source.key)}`);
      return session.messageType === groupNack;
    };
    const asked = question({ answeredBy: [groupAck, groupNack], ...changes });
    requests.collect(asked, names.keys(), isEnough).then(
      (missing) => log.push(`missing: ${[...missing].map((key) => names.get(key)).join()}`),
      (reason: SlimError) => log.push(reason.code),
    );
  };
  /** The log since the last call, once everything that is due has happened. */
  const events = async (): Promise<string[]> => {
    await turns();
    return log.splice(0);
  };
  return { clock, requests, ask, askAll, events };
}

describe('a control request', () => {
  it('is sent at once and done with its answer', async () => {
    const { clock, requests, ask, events } = setup();
    ask();
    expect(requests.answer(answerOf(joinReply, 7))).toBe(true);
    expect(await events()).toStrictEqual(['sent 7', `answer ${joinReply}`]);
    expect(clock.pending).toBe(0);
  });

  it('is repeated at every interval and fails one interval after the last time', async () => {
    const { clock, ask, events } = setup();
    ask({ maxRetries: 2 });
    clock.advance(999);
    expect(await events()).toStrictEqual(['sent 7']);
    clock.advance(1);
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['sent 7', 'sent 7']);
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['timeout']);
    clock.advance(10_000);
    expect(await events()).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('takes an answer to a repetition', async () => {
    const { clock, requests, ask, events } = setup();
    ask();
    clock.advance(1_500);
    requests.answer(answerOf(joinReply, 7));
    expect(await events()).toStrictEqual(['sent 7', 'sent 7', `answer ${joinReply}`]);
  });

  it.each([
    { what: 'of another id', type: joinReply, id: 8 },
    { what: 'of another type', type: groupAck, id: 7 },
  ])('is not answered by a message $what', async ({ type, id }) => {
    const { requests, ask, events } = setup();
    ask();
    expect(requests.answer(answerOf(type, id))).toBe(false);
    expect(await events()).toStrictEqual(['sent 7']);
  });

  it('is answered once; what comes later is for others', () => {
    const { requests, ask } = setup();
    ask();
    expect(requests.answer(answerOf(joinReply, 7))).toBe(true);
    expect(requests.answer(answerOf(joinReply, 7))).toBe(false);
  });

  it('does not mix with others that wait', async () => {
    const { clock, requests, ask, events } = setup();
    ask({ messageId: 1 });
    ask({ messageId: 2 });
    requests.answer(answerOf(joinReply, 2));
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['sent 1', 'sent 2', 'sent 1', `answer ${joinReply}`]);
  });

  it('ends with its signal, with a code of ours whatever the caller gave', async () => {
    const { clock, ask, events } = setup();
    const abort = new AbortController();
    ask({ signal: abort.signal });
    abort.abort(new Error('changed my mind'));
    expect(await events()).toStrictEqual(['sent 7', 'aborted']);
    expect(clock.pending).toBe(0);
  });

  it('is not sent at all when its signal fired before', async () => {
    const { clock, ask, events } = setup();
    ask({ signal: AbortSignal.abort(new SlimError('aborted', 'too late')) });
    expect(await events()).toStrictEqual(['aborted']);
    expect(clock.pending).toBe(0);
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const { requests, ask, events } = setup();
    const abort = new AbortController();
    ask({ signal: abort.signal });
    requests.answer(answerOf(joinReply, 7));
    abort.abort();
    ask({ messageId: 8 });
    expect(await events()).toStrictEqual(['sent 7', 'sent 8', `answer ${joinReply}`]);
  });

  it('can be cancelled', async () => {
    const { clock, requests, ask, events } = setup();
    ask();
    requests.cancel(7, closed);
    requests.cancel(7, closed);
    expect(await events()).toStrictEqual(['sent 7', 'session-closed']);
    expect(clock.pending).toBe(0);
  });

  it('that cannot be sent fails with the reason and leaves no timer', async () => {
    const { clock, ask, events } = setup();
    const transmit = (): void => {
      throw new SlimError('message-too-large', 'of 5 MB');
    };
    ask({ transmit });
    expect(await events()).toStrictEqual(['message-too-large']);
    expect(clock.pending).toBe(0);
  });

  it('that cannot be repeated fails with the reason and leaves no timer', async () => {
    const { clock, ask, events } = setup();
    let times = 0;
    const transmit = (): void => {
      times += 1;
      if (times === 2) throw new SlimError('message-too-large', 'of 5 MB');
    };
    ask({ transmit });
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['message-too-large']);
    expect(clock.pending).toBe(0);
  });
});

describe('a control request to several', () => {
  it('is done when the last one answered', async () => {
    const { clock, requests, askAll, events } = setup();
    askAll(['bob', 'carol']);
    expect(requests.answer(answerOf(groupAck, 7, 'carol'))).toBe(true);
    expect(await events()).toStrictEqual(['sent 7', 'answer of carol']);
    expect(requests.answer(answerOf(groupAck, 7, 'bob'))).toBe(true);
    expect(await events()).toStrictEqual(['answer of bob', 'missing: ']);
    expect(clock.pending).toBe(0);
  });

  it('is done with the first answer that is enough', async () => {
    const { clock, requests, askAll, events } = setup();
    askAll(['bob', 'carol']);
    expect(requests.answer(answerOf(groupNack, 7, 'carol'))).toBe(true);
    expect(await events()).toStrictEqual(['sent 7', 'answer of carol', 'missing: bob']);
    expect(clock.pending).toBe(0);
  });

  it('names those that did not answer when the retries end', async () => {
    const { clock, requests, askAll, events } = setup();
    askAll(['bob', 'carol', 'dave'], { maxRetries: 1 });
    requests.answer(answerOf(groupAck, 7, 'carol'));
    clock.advance(2_000);
    expect(await events()).toStrictEqual([
      'sent 7',
      'answer of carol',
      'sent 7',
      'missing: bob,dave',
    ]);
    expect(clock.pending).toBe(0);
  });

  it('takes no notice of strangers and of a second answer', async () => {
    const { requests, askAll, events } = setup();
    askAll(['bob', 'carol']);
    expect(requests.answer(answerOf(groupAck, 7, 'mallory'))).toBe(false);
    expect(requests.answer(answerOf(groupAck, 7, 'bob'))).toBe(true);
    expect(requests.answer(answerOf(groupAck, 7, 'bob'))).toBe(false);
    expect(await events()).toStrictEqual(['sent 7', 'answer of bob']);
  });

  it('is sent once when nobody has to answer', async () => {
    const { clock, askAll, events } = setup();
    askAll([]);
    expect(await events()).toStrictEqual(['sent 7', 'missing: ']);
    expect(clock.pending).toBe(0);
  });
});

describe('close', () => {
  it('fails everything that waits and everything that is asked later, and leaves no timer', async () => {
    const { clock, requests, ask, askAll, events } = setup();
    ask({ messageId: 1 });
    askAll(['bob'], { messageId: 2 });
    requests.close(closed);
    requests.close(new SlimError('timeout', 'a second time'));
    ask({ messageId: 3 });
    expect(await events()).toStrictEqual([
      'sent 1',
      'sent 2',
      'session-closed',
      'session-closed',
      'session-closed',
    ]);
    expect(clock.pending).toBe(0);
  });
});
