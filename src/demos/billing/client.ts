import { setTimeout } from 'node:timers/promises';
import { SlimClient } from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';
import type { Answered, Invoice } from './invoices.controller.js';
import { settings, tell } from '../settings.js';
import { names } from './names.js';

// A customer's script: `client.js [GATEWAY URL] [--plain]`. With a URL it orders by HTTP first, then it
// calls the service by its name, without any Nest application: a client is just a class. With --plain
// that call is not encrypted, to show what the node sees then.
const [url] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const mls = !process.argv.includes('--plain');
const order = { customer: 'Analytical Engines Ltd', cents: 129_900 };

/** Services start in any order; this one comes last. */
async function untilUp(health: string, triesLeft = 120): Promise<void> {
  try {
    await fetch(health);
  } catch (reason) {
    if (triesLeft === 0) throw reason;
    await setTimeout(500);
    await untilUp(health, triesLeft - 1);
  }
}

if (url !== undefined) {
  await untilUp(`${url}/health`);
  const response = await fetch(`${url}/invoices`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
  const { by, value } = (await response.json()) as Answered<Invoice>;
  tell('script', `ordered by HTTP: got invoice ${value.id}, made by ${by}`);
  const list = (await (await fetch(`${url}/invoices`)).json()) as Invoice[];
  tell('script', `asked for the list: ${list.length} came as a stream`);
}

const client = new SlimClient({ ...settings, name: 'acme/shop/script', mls });
try {
  const call = client.send<Answered<Invoice>>(`${names.invoices}#create`, order);
  const { by } = await firstValueFrom(call);
  const how = mls ? 'encrypted end to end' : 'without encryption';
  tell('script', `called ${names.invoices} by SLIM, ${how}; ${by} answered`);
} finally {
  await client.close();
}
