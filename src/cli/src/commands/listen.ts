import type { Session } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { closeOnAbort } from '../close-on-abort.js';
import { commonOptions, parseCommandLine } from '../command-line.js';
import { connectAsTarget } from '../connect.js';
import { messageFields } from '../message-fields.js';
import { print, printFailure } from '../output.js';

/** `slim listen NAME [--echo]`: accepts sessions and prints each message, until it is told to stop. */
export async function listen(words: readonly string[], stop: AbortSignal): Promise<void> {
  const options = { ...commonOptions, echo: { type: 'boolean' } } as const;
  const line = parseCommandLine(words, options, 'one');
  const timeoutMs = line.count('timeout', 1);
  const until =
    timeoutMs === undefined ? stop : AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const app = await connectAsTarget(line, {
    signal: until,
    accept: (invitation) => invitation.channel === undefined,
  });
  const ignore = closeOnAbort(app, until);
  try {
    print('ready', { name: line.target, instance: app.name.toString() });
    await serveAll(app, line.flag('echo', false));
  } finally {
    ignore();
    await app.close();
  }
}

async function serveAll(app: SlimApp, echo: boolean): Promise<void> {
  const served = new Set<Promise<void>>();
  for await (const session of app.sessions()) {
    if (session.kind !== 'session') continue;
    const serving = serve(session, echo).catch(printFailure);
    served.add(serving);
    void serving.finally(() => served.delete(serving));
  }
  await Promise.all(served);
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
