import { typedLineHelp } from './typed-line.js';

const common =
  'common: --node URL --secret TEXT --name NAME --[no-]mls --[no-]reliable --timeout MS';

const node = `slim node [--config FILE] [--listen HOST:PORT] [--admin HOST:PORT]
    run a routing node; --admin opens its status page, metrics and health`;

const config = `slim config check FILE
    say whether a node could run with a configuration file, and all that is wrong with it`;

const top = `slim top [--admin URL] [--interval MS] [--count N]
    show the links of a node live, from its admin port; q ends`;

const listen = `slim listen NAME [--echo]
    accept sessions, print each message`;

const request = `slim request NAME [--data TEXT] [--count N] [--reply-timeout MS]
    open a session, publish, print each reply`;

const channel = `slim channel create NAME [--invite NAME…] [--remove NAME…] [--message TEXT…] [--expect N]
    moderate the channel NAME: invite, publish, print N messages, remove, close
slim channel join NAME [--message TEXT…] [--expect N]
    wait for an invitation as NAME, publish, print every message
slim channel
    ask which of the two; on a terminal only`;

const talking = `On a terminal, without --message, --expect and --remove, create and join let you talk:

${typedLineHelp}`;

const details: Readonly<Record<string, string>> = {
  node,
  config,
  top,
  listen: `${listen}\n${common}`,
  request: `${request}\n${common}`,
  channel: `${channel}\n${common}\n\n${talking}`,
};

/** What the program understands. */
export const usage = `${[node, config, top, listen, request, channel].join('\n')}
${common}
slim COMMAND --help tells more about one command; NAME is org/namespace/service`;

/** What one of its commands understands. */
export function usageOf(command: string): string {
  return details[command] ?? usage;
}
