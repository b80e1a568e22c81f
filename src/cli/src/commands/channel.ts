import { SlimError, type Channel } from '@nestjs-slim/core';
import { commonOptions, parseCommandLine, type CommandLine } from '../command-line.js';
import { connect } from '../connect.js';
import { converse } from '../conversation.js';
import { messageFields } from '../message-fields.js';
import { print } from '../output.js';

const defaultWaitMs = 30_000;

const options = {
  ...commonOptions,
  invite: { type: 'string', multiple: true },
  remove: { type: 'string', multiple: true },
  message: { type: 'string', multiple: true },
  expect: { type: 'string' },
} as const;

/** `slim channel create NAME …`, `slim channel join NAME …`; on a terminal without messages, a talk. */
export async function channel(words: readonly string[], stop: AbortSignal): Promise<void> {
  const [verb = '', ...rest] = words;
  const line = parseCommandLine(rest, options, 1);
  switch (verb) {
    case 'create':
      return create(line, stop);
    case 'join':
      return join(line, stop);
    default:
      throw new SlimError('invalid-config', `expected create or join, got "${verb}"`);
  }
}

/** Invites all, publishes, waits for the expected messages, removes, closes. */
async function create(line: CommandLine, stop: AbortSignal): Promise<void> {
  const app = await connect(line, 'slim/cli/moderator', { signal: stop });
  try {
    const discoveryMs = line.count('timeout', 1);
    const room = await app.createChannel(line.target, {
      mls: line.flag('mls', true),
      reliable: line.flag('reliable', true),
      ...(discoveryMs !== undefined && { discoveryMs }),
    });
    print('ready', { name: room.name.toString() });
    tellMembership(room);
    for (const name of line.texts('invite')) await room.invite(name, { signal: stop });
    if (isInteractive(line)) return await converse(room, stop);
    await publishAndRead(room, line, stop);
    for (const name of line.texts('remove')) await room.remove(name);
    await room.close();
    print('closed', { name: room.name.toString() });
  } finally {
    await app.close();
  }
}

/** Waits for an invitation, publishes, prints every message until the channel is closed. */
async function join(line: CommandLine, stop: AbortSignal): Promise<void> {
  const app = await connect(line, line.target, {
    signal: stop,
    accept: (invitation) => invitation.channel !== undefined,
  });
  if (line.text('name') !== undefined) await app.subscribe(line.target);
  const end = (): void => void app.close();
  stop.addEventListener('abort', end, { once: true });
  try {
    print('ready', { name: line.target, instance: app.name.toString() });
    for await (const invited of app.sessions()) {
      if (invited.kind === 'channel') return await takePart(invited, line, stop);
    }
  } finally {
    stop.removeEventListener('abort', end);
    await app.close();
  }
}

async function takePart(room: Channel, line: CommandLine, stop: AbortSignal): Promise<void> {
  print('joined', { name: room.self.toString(), channel: room.name.toString() });
  tellMembership(room);
  if (isInteractive(line)) return converse(room, stop);
  await publishAndRead(room, line, stop);
  if (line.count('expect', 0) !== undefined) await room.close();
  for await (const message of room) print('message', messageFields(message));
  print('closed', { name: room.name.toString() });
}

async function publishAndRead(room: Channel, line: CommandLine, stop: AbortSignal): Promise<void> {
  for (const text of line.texts('message')) await room.publish(Buffer.from(text));
  const timeoutMs = line.count('timeout', 1) ?? defaultWaitMs;
  for (let left = line.count('expect', 0) ?? 0; left > 0; left -= 1) {
    print('message', messageFields(await room.next({ timeoutMs, signal: stop })));
  }
}

function tellMembership(room: Channel): void {
  room.on('joined', ({ name }) => print('joined', { name: name.toString() }));
  room.on('left', ({ name }) => print('left', { name: name.toString() }));
}

/** A person at a terminal, who gave nothing to publish or to wait for. */
function isInteractive(line: CommandLine): boolean {
  const isScripted = line.texts('message').length > 0 || line.count('expect', 0) !== undefined;
  return !isScripted && process.stdin.isTTY && process.stdout.isTTY;
}
