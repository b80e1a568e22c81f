import { SlimError } from '@nestjs-slim/core';
import { commonOptions, parseCommandLine } from '../command-line.js';
import { connect } from '../connect.js';
import { messageFields } from '../message-fields.js';
import { print } from '../output.js';
import { textPayload } from '../text-payload.js';

const defaultReplyMs = 5_000;

/** `slim request NAME`: opens a session, publishes, prints each reply, closes. */
export async function request(words: readonly string[], stop: AbortSignal): Promise<void> {
  const options = {
    ...commonOptions,
    data: { type: 'string' },
    count: { type: 'string' },
    'reply-timeout': { type: 'string' },
  } as const;
  const line = parseCommandLine(words, options, 'one');
  const count = line.count('count', 1) ?? 1;
  const timeoutMs = line.count('reply-timeout', 1) ?? defaultReplyMs;
  const discoveryMs = line.count('timeout', 1);
  const [payload, published] = textPayload(line.text('data') ?? 'hello');

  const app = await connect(line, 'slim/cli/request', { signal: stop });
  try {
    const session = await app.openSession(line.target, {
      mls: line.flag('mls', true),
      reliable: line.flag('reliable', true),
      signal: stop,
      ...(discoveryMs !== undefined && { discoveryMs }),
    });
    const { id, mls, reliable } = session;
    print('session', { session: id, peer: session.peer.toString(), mls, reliable });
    let failed = 0;
    for (let sent = 0; sent < count; sent += 1) {
      const reply = await session.request(payload, { ...published, timeoutMs, signal: stop });
      print('message', { session: id, ...messageFields(reply) });
      if (reply.metadata['slim-error'] === 'true') failed += 1;
    }
    await session.close();
    print('closed', { session: id });
    if (failed > 0) throw new SlimError('refused', `${failed} of ${count} replies are errors`);
  } finally {
    await app.close();
  }
}
