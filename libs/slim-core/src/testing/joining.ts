import type { SlimApp } from '../app/slim-app.js';
import type { Channel } from '../session/channel.js';

/** The next channel that an application is invited to. */
export async function joined(app: SlimApp): Promise<Channel> {
  for await (const channel of app.sessions()) if (channel.kind === 'channel') return channel;
  throw new Error('the application ended');
}

/** The next messages of a channel, as text; fails when one does not come in time. */
export async function readTexts(
  channel: Channel,
  count: number,
  timeoutMs: number,
): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { payload } = await channel.next({ timeoutMs });
    texts.push(new TextDecoder().decode(payload));
  }
  return texts;
}
