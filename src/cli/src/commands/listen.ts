import type { Session } from '@nestjs-slim/core';
import { commonOptions, parseCommandLine } from '../command-line.js';
import { connect } from '../connect.js';
import { messageFields } from '../message-fields.js';
import { print, printFailure } from '../output.js';

/** `slim listen NAME [--echo]`: accepts sessions and prints each message, until it is told to stop. */
export async function listen(words: readonly string[], stop: AbortSignal): Promise<void> {
  const options = { ...commonOptions, echo: { type: 'boolean' } } as const;
  const line = parseCommandLine(words, options, 'one');
  const timeoutMs = line.count('timeout', 1);
  const until =
    timeoutMs === undefined ? stop : AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const app = await connect(line, line.target, {
    signal: until,
    accept: (invitation) => invitation.channel === undefined,
  });
  // An application that was given another name of its own is found under the target all the same.
  if (line.text('name') !== undefined) await app.subscribe(line.target);
  until.addEventListener('abort', () => void app.close(), { once: true });
  print('ready', { name: line.target, instance: app.name.toString() });
  const served = new Set<Promise<void>>();
  for await (const session of app.sessions()) {
    if (session.kind !== 'session') continue;
    const serving = serve(session, line.flag('echo', false)).catch(printFailure);
    served.add(serving);
    void serving.finally(() => served.delete(serving));
  }
  await Promise.all(served);
  await app.close();
}

async function serve(session: Session, echo: boolean): Promise<void> {
  const { id, mls, reliable, metadata } = session;
  const peer = session.peer.toString();
  print('session', { session: id, peer, mls, reliable, metadata });
  try {
    for await (const message of session) {
      print('message', { session: id, ...messageFields(message) });
      if (echo) await message.reply(message.payload, message);
    }
    print('closed', { session: id, peer });
  } finally {
    await session.close();
  }
}
