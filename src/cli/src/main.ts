import { SlimError } from '@nestjs-slim/core';
import { channel } from './commands/channel.js';
import { listen } from './commands/listen.js';
import { node } from './commands/node.js';
import { request } from './commands/request.js';
import { log, printFailure } from './output.js';

const commands: Readonly<
  Record<string, (words: readonly string[], stop: AbortSignal) => Promise<void>>
> = { node, listen, request, channel };

const usage = `slim node [--config FILE] [--listen HOST:PORT]     run a routing node
slim listen NAME [--echo]                          accept sessions, print each message
slim request NAME [--data TEXT] [--count N] [--reply-timeout MS]
                                                   open a session, publish, print each reply
slim channel create NAME --invite NAME… [--remove NAME…] [--message TEXT…] [--expect N]
                                                   moderate a channel
slim channel join NAME [--message TEXT…] [--expect N]
                                                   wait for an invitation as NAME
common: --node URL --secret TEXT --name NAME --[no-]mls --[no-]reliable --timeout MS`;

async function main([command = '', ...words]: readonly string[]): Promise<void> {
  if (command === '' || command === 'help' || command === '--help') return log(usage);
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!run) {
    log(usage);
    throw new SlimError(
      'invalid-config',
      `expected a command (${Object.keys(commands).join(', ')}), got "${command}"`,
    );
  }
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new SlimError('aborted', 'stopped by a signal'));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  await run(words, stop.signal);
}

await main(process.argv.slice(2)).catch(printFailure);
