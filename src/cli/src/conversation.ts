import { createInterface } from 'node:readline';
import { SlimError, type Channel } from '@nestjs-slim/core';
import { log } from './output.js';

const help = '/invite NAME   /remove NAME   /who   /leave   anything else is said to everybody';

/** Lets a person talk in a channel: what is typed is published, what comes is shown. */
export async function converse(room: Channel, stop: AbortSignal): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const end = (): void => terminal.close();
  stop.addEventListener('abort', end, { once: true });
  void room.ended.then(end);
  log(`you are in ${room.name.toString()} as ${room.self.toString()}\n${help}`);
  const showing = show(room);
  for await (const line of terminal) {
    if (line.trim() === '/leave') break;
    try {
      await obey(room, line.trim());
    } catch (reason) {
      const { code, message } = SlimError.from(reason, 'invalid-config');
      log(`${code}: ${message}`);
    }
  }
  terminal.close();
  stop.removeEventListener('abort', end);
  await room.close();
  await showing;
}

async function show(room: Channel): Promise<void> {
  for await (const { source, payload } of room) {
    log(`${source.service}: ${Buffer.from(payload).toString('utf8')}`);
  }
}

async function obey(room: Channel, line: string): Promise<void> {
  if (line === '') return;
  if (!line.startsWith('/')) return room.publish(Buffer.from(line));
  const [verb = '', name = ''] = line.split(/\s+/);
  switch (verb) {
    case '/invite':
      return room.invite(name);
    case '/remove':
      return room.remove(name);
    case '/who':
      for (const { name: who, online } of room.participants()) {
        log(`${who.toString()}${online ? '' : ' (offline)'}`);
      }
      return undefined;
    default:
      log(help);
  }
}
