import { SlimError, type Channel } from '@nestjs-slim/core';
import {
  connectToJoin,
  createChannel,
  defaultModerator,
  invitedChannel,
} from '../channel-entry.js';
import { closeOnAbort } from '../close-on-abort.js';
import { commonOptions, parseCommandLine, type CommandLine } from '../command-line.js';
import { connect } from '../connect.js';
import { messageFields } from '../message-fields.js';
import { log, print, printFailure } from '../output.js';
import { talk, type ChannelAction } from '../talk.js';
import { usageOf } from '../usage.js';
import { textPayload } from '../text-payload.js';

const defaultWaitMs = 30_000;

const options = {
  ...commonOptions,
  invite: { type: 'string', multiple: true },
  remove: { type: 'string', multiple: true },
  message: { type: 'string', multiple: true },
  expect: { type: 'string' },
} as const;

/** `slim channel [create|join] [NAME] …`: for a person at a terminal a talk, for a script a sequence. */
export async function channel(words: readonly string[], stop: AbortSignal): Promise<void> {
  const action = actionOf(words);
  const rest = action === undefined ? words : words.slice(1);
  const isAtTerminal = process.stdin.isTTY && process.stdout.isTTY;
  if (action === undefined && !isAtTerminal) return explain();
  const line = parseCommandLine(rest, options, isAtTerminal ? 'one or none' : 'one');
  if (isAtTerminal && !isScripted(line)) return talk(action, line, stop);
  if (action === undefined) return explain();
  return action === 'create' ? create(line, stop) : join(line, stop);
}

/** The first word, unless that is an option or a name already. */
function actionOf([first = '']: readonly string[]): ChannelAction | undefined {
  if (first === 'create' || first === 'join') return first;
  if (first === '' || first.startsWith('-') || first.includes('/')) return undefined;
  throw new SlimError('invalid-config', `expected create or join, got "${first}"`);
}

/** Nothing was asked for: says what could be, as programs do, with code 2. */
function explain(): void {
  log(usageOf('channel'));
  printFailure(new SlimError('invalid-config', 'expected create or join, got neither'));
  process.exitCode = 2;
}

/** What to publish, to wait for or to remove is given: nobody is to be asked. */
function isScripted(line: CommandLine): boolean {
  const given = [...line.texts('message'), ...line.texts('remove')];
  return given.length > 0 || line.count('expect', 0) !== undefined;
}

/** Invites all, publishes, waits for the expected messages, removes, closes. */
async function create(line: CommandLine, stop: AbortSignal): Promise<void> {
  const app = await connect(line, defaultModerator, { signal: stop });
  try {
    const room = await createChannel(app, line);
    print('ready', { name: room.name.toString() });
    tellMembership(room);
    for (const name of line.texts('invite')) await room.invite(name, { signal: stop });
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
  const app = await connectToJoin(line, { signal: stop });
  const ignore = closeOnAbort(app, stop);
  try {
    print('ready', { name: line.target, instance: app.name.toString() });
    const room = await invitedChannel(app);
    if (room) await takePart(room, line, stop);
  } finally {
    ignore();
    await app.close();
  }
}

async function takePart(room: Channel, line: CommandLine, stop: AbortSignal): Promise<void> {
  print('joined', { name: room.self.toString(), channel: room.name.toString() });
  tellMembership(room);
  await publishAndRead(room, line, stop);
  if (line.count('expect', 0) !== undefined) await room.close();
  for await (const message of room) print('message', messageFields(message));
  print('closed', { name: room.name.toString() });
}

async function publishAndRead(room: Channel, line: CommandLine, stop: AbortSignal): Promise<void> {
  for (const text of line.texts('message')) await room.publish(...textPayload(text));
  const timeoutMs = line.count('timeout', 1) ?? defaultWaitMs;
  for (let left = line.count('expect', 0) ?? 0; left > 0; left -= 1) {
    print('message', messageFields(await room.next({ timeoutMs, signal: stop })));
  }
}

function tellMembership(room: Channel): void {
  room.on('joined', ({ name }) => print('joined', { name: name.toString() }));
  room.on('left', ({ name }) => print('left', { name: name.toString() }));
}
