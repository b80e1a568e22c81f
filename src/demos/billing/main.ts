import { Demo } from '../demo.js';
import type { ServiceProcess } from '../service-process.js';
import { names } from './names.js';

// Runs the demo: a node, two instances of the billing service, a gateway and a script, each in its own
// process, and tells what happens between them.

const demo = new Demo(import.meta.url, (line) => !line.includes('REPORT'));

interface Report {
  readonly frames: number;
  readonly readable: number;
}

async function reportOf(node: ServiceProcess): Promise<Report> {
  node.forget();
  node.signal('SIGUSR2');
  return JSON.parse(await node.after('REPORT')) as Report;
}

await demo.tell(async () => {
  demo.step('A routing node, and services that know each other by name only');
  demo.env.SLIM_LISTEN = '127.0.0.1:0';
  const node = demo.start('node.js');
  demo.env.SLIM_NODE = await node.after('listens on');
  const billing = [demo.start('billing.js'), demo.start('billing.js')];
  await Promise.all(billing.map((instance) => instance.after('is up')));
  demo.env.PORT = '0';
  const url = await demo.start('gateway.js').after('is up at');

  demo.step(
    `A script orders by HTTP: the gateway calls ${names.invoices}. Then it calls that name itself`,
  );
  await demo.start('client.js', { words: [url] }).done();

  demo.step('What did the node see of it?');
  const sealed = await reportOf(node);
  demo.say(
    `  ${sealed.frames} frames forwarded, the customer's name readable in ${sealed.readable}`,
  );
  if (sealed.readable > 0) throw new Error('the node could read what the services said');

  demo.step('And when the same call is made with encryption turned off?');
  await demo.start('client.js', { words: ['--plain'] }).done();
  const open = await reportOf(node);
  demo.say(`  the customer's name was readable in ${open.readable} frames`, 'yellow');
  if (open.readable === 0) throw new Error('the node should have been able to read that call');
  return 'All done: end-to-end encrypted unless you turn it off.';
});
