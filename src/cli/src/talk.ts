import { SlimError, SlimName } from '@nestjs-slim/core';
import { connectToJoin, createChannel, defaultModerator, invitedChannel } from './channel-entry.js';
import type { CommandLine } from './command-line.js';
import { connect, secretOf, type ConnectOptions } from './connect.js';
import { converse } from './conversation.js';
import { formatFailure } from './output.js';
import { Terminal } from './terminal.js';

/** How to get into a channel. */
export type ChannelAction = 'create' | 'join';

/** `slim channel` for a person: asks for what the command line lacks, then lets them talk. */
export async function talk(
  action: ChannelAction | undefined,
  line: CommandLine,
  stop: AbortSignal,
): Promise<void> {
  const terminal = new Terminal(stop);
  try {
    secretOf(line); // now, not after the questions
    const chosen = action ?? (await askForAction(terminal));
    const target = line.target === '' ? await askForName(terminal, chosen) : line.target;
    await (chosen === 'create' ? createAndTalk : joinAndTalk)({ ...line, target }, terminal);
  } catch (reason) {
    // Whoever leaves before being in a channel is not told that it did not work.
    if (terminal.closed.aborted && SlimError.from(reason, 'aborted').code === 'aborted') return;
    terminal.show(`! ${formatFailure(reason)}`);
    process.exitCode = 1;
  } finally {
    terminal.close();
  }
}

async function createAndTalk(line: CommandLine, terminal: Terminal): Promise<void> {
  const app = await connect(line, defaultModerator, connectOptions(terminal));
  try {
    const room = await createChannel(app, line);
    await converse(room, terminal, line.texts('invite'));
  } finally {
    await app.close();
  }
}

async function joinAndTalk(line: CommandLine, terminal: Terminal): Promise<void> {
  terminal.onLine(() => terminal.show('! nobody hears you before you are in a channel'));
  const app = await connectToJoin(line, connectOptions(terminal));
  try {
    terminal.show(`* waiting to be invited as ${line.target}`);
    const room = await Promise.race([invitedChannel(app), terminal.ended]);
    if (room) await converse(room, terminal);
  } finally {
    await app.close();
  }
}

/** What the connection reports is shown where the person looks, until they leave. */
function connectOptions(terminal: Terminal): ConnectOptions {
  let last = '';
  const report = (text: string): void => {
    if (!terminal.closed.aborted && text !== last) terminal.show(`* ${text}`);
    last = text; // dialling a node that is away fails again and again
  };
  return { signal: terminal.closed, report };
}

async function askForAction(terminal: Terminal): Promise<ChannelAction> {
  terminal.show('* create a channel, or join one that somebody else creates?');
  for (;;) {
    const answer = await terminal.ask('create or join');
    if (answer === 'create' || answer === 'join') return answer;
    terminal.show(`! expected create or join, got "${answer}"`);
  }
}

async function askForName(terminal: Terminal, action: ChannelAction): Promise<string> {
  const whose = action === 'create' ? 'the channel' : 'you, to be invited as';
  terminal.show(`* a name for ${whose}: org/namespace/service`);
  for (;;) {
    try {
      return SlimName.parse(await terminal.ask('name')).toString();
    } catch (reason) {
      if (terminal.closed.aborted) throw reason;
      terminal.show(`! ${formatFailure(reason)}`);
    }
  }
}
