import type { Session, SessionMessage, SlimApp } from '@nestjs-slim/core';

/** The next session that somebody opens to the application. */
export async function firstSession(app: SlimApp): Promise<Session> {
  for await (const session of app.sessions()) return session;
  throw new Error('the application ended before anybody opened a session');
}

/** The next messages of a session, with their payloads as text. */
export async function texts(
  session: Session,
  count: number,
  timeoutMs = 10_000,
): Promise<{ readonly text: string; readonly message: SessionMessage }[]> {
  const received = [];
  while (received.length < count) {
    const message = await session.next({ timeoutMs });
    received.push({ text: Buffer.from(message.payload).toString(), message });
  }
  return received;
}
