import type { Channel, Session, SessionMessage, SlimApp } from '@nestjs-slim/core';

/** The next session that somebody opens to the application. */
export async function firstSession(app: SlimApp): Promise<Session> {
  for await (const session of app.sessions()) if (session.kind === 'session') return session;
  throw new Error('the application ended before anybody opened a session');
}

/** The next messages of a session, with their payloads as text. */
export async function texts(
  session: Session | Channel,
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

/** The next channel that the application is invited to. */
export async function firstChannel(app: SlimApp): Promise<Channel> {
  for await (const channel of app.sessions()) if (channel.kind === 'channel') return channel;
  throw new Error('the application ended before anybody invited it');
}
