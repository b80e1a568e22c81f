import { SlimError } from '@nestjs-slim/core';
import { log, printFailure } from './output.js';
import { usage, usageOf } from './usage.js';

type Command = (words: readonly string[], stop: AbortSignal) => Promise<void>;

/** Each is loaded when it is given: a node has no use for what the others need. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  node: async () => (await import('./commands/node.js')).node,
  listen: async () => (await import('./commands/listen.js')).listen,
  request: async () => (await import('./commands/request.js')).request,
  channel: async () => (await import('./commands/channel.js')).channel,
};

const helpFlags = new Set(['--help', '-h']);

async function main([command = 'help', ...words]: readonly string[]): Promise<void> {
  if (command === 'help' || helpFlags.has(command)) return log(usage);
  const load = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!load) {
    log(usage);
    throw new SlimError(
      'invalid-config',
      `expected a command (${Object.keys(commands).join(', ')}), got "${command}"`,
    );
  }
  if (words.some((word) => helpFlags.has(word))) return log(usageOf(command));
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new SlimError('aborted', 'stopped by a signal'));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const run = await load();
  await run(words, stop.signal);
}

await main(process.argv.slice(2)).catch(printFailure);
