import { styleText } from 'node:util';
import { ServiceProcess } from './service-process.js';
import { names } from './settings.js';

// Runs the demo: a node, two instances of the billing service, a gateway and a script, each in its own
// process, and tells what happens between them.

const colourful = process.stdout.isTTY && process.env.NO_COLOR === undefined;
type Style = Parameters<typeof styleText>[0];

function say(text: string, style: Style = 'reset'): void {
  process.stdout.write(`${colourful ? styleText(style, text) : text}\n`);
}

const step = (text: string): void => say(`\n${text}`, 'bold');
const env: Record<string, string> = {};
const running: ServiceProcess[] = [];

function start(program: string, words: readonly string[] = []): ServiceProcess {
  const onLine = (line: string): void => {
    if (!line.includes('REPORT')) say(`  ${line}`, 'cyan');
  };
  const service = new ServiceProcess(program, { words, env, onLine });
  running.push(service);
  return service;
}

interface Report {
  readonly frames: number;
  readonly readable: number;
}

async function reportOf(node: ServiceProcess): Promise<Report> {
  node.forget();
  node.signal('SIGUSR2');
  return JSON.parse(await node.after('REPORT')) as Report;
}

async function tellStory(): Promise<void> {
  step('A routing node, and services that know each other by name only');
  env.SLIM_LISTEN = '127.0.0.1:0';
  const node = start('node.js');
  env.SLIM_NODE = await node.after('listens on');
  const billing = [start('billing.js'), start('billing.js')];
  await Promise.all(billing.map((instance) => instance.after('is up')));
  env.PORT = '0';
  const url = await start('gateway.js').after('is up at');

  step(
    `A script orders by HTTP: the gateway calls ${names.invoices}. Then it calls that name itself`,
  );
  await start('client.js', [url]).done();

  step('What did the node see of it?');
  const sealed = await reportOf(node);
  say(`  ${sealed.frames} frames forwarded, the customer's name readable in ${sealed.readable}`);
  if (sealed.readable > 0) throw new Error('the node could read what the services said');

  step('And when the same call is made with encryption turned off?');
  await start('client.js', ['--plain']).done();
  const open = await reportOf(node);
  say(`  the customer's name was readable in ${open.readable} frames`, 'yellow');
  if (open.readable === 0) throw new Error('the node should have been able to read that call');
}

try {
  await tellStory();
  say('\nAll done: end-to-end encrypted unless you turn it off.', 'green');
} catch (reason) {
  say(`\nThe demo failed: ${String(reason)}`, 'red');
  process.exitCode = 1;
} finally {
  await Promise.all(running.toReversed().map((service) => service.stop()));
}
