import { SlimError } from '@nestjs-slim/core';
import { log, printFailure } from './output.js';
import { usage, usageOf } from './usage.js';

type Command = (words: readonly string[], stop: AbortSignal) => Promise<void>;

/** Each is loaded when it is given: a node has no use for what the others need. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  node: async () => (await import('./commands/node.js')).node,
  config: async () => (await import('./commands/config.js')).config,
  top: async () => (await import('./commands/top.js')).top,
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
  process.on('SIGINT', () => stopOrExit(stop));
  process.on('SIGTERM', () => stopOrExit(stop));
  const run = await load();
  await run(words, stop.signal);
}

/** The first signal ends the command in order. Whoever sends a second one does not want to wait for that. */
function stopOrExit(stop: AbortController): void {
  if (stop.signal.aborted) process.exit(1);
  stop.abort(new SlimError('aborted', 'stopped by a signal'));
}

await main(process.argv.slice(2)).catch(printFailure);
