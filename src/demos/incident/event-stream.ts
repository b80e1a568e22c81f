import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** The data of each server-sent event of one line, until the other side or the signal ends it. */
export async function* eventsOf(url: string, signal?: AbortSignal): AsyncGenerator<string> {
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream' },
    ...(signal && { signal }),
  });
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  const lines = createInterface({ input: Readable.fromWeb(response.body as ReadableStream) });
  for await (const line of lines) if (line.startsWith('data: ')) yield line.slice(6);
}
