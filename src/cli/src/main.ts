import { SlimError } from '@nestjs-slim/core';
import { channel } from './commands/channel.js';
import { listen } from './commands/listen.js';
import { node } from './commands/node.js';
import { request } from './commands/request.js';
import { log, printFailure } from './output.js';
import { usage, usageOf } from './usage.js';

const commands: Readonly<
  Record<string, (words: readonly string[], stop: AbortSignal) => Promise<void>>
> = { node, listen, request, channel };

const helpFlags = new Set(['--help', '-h']);

async function main([command = 'help', ...words]: readonly string[]): Promise<void> {
  if (command === 'help' || helpFlags.has(command)) return log(usage);
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!run) {
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
  await run(words, stop.signal);
}

await main(process.argv.slice(2)).catch(printFailure);
