import { setTimeout } from 'node:timers/promises';
import { SlimClient } from 'nestjs-slim';
import { backoff, dialler, tokens, type Keys } from './identities.js';
import { CallLog } from './call-log.js';
import { Flood } from './flood.js';
import { serve } from './serve.js';

// Calls the service all the time, with encryption and without, and knows how each call ended.

interface Start {
  readonly nodes: readonly string[];
  readonly plainNodes: readonly string[];
  readonly keys: Keys;
}

const target = 'soak/shop/sums';
/** Between two calls of a kind by one client. */
const pauseMs = 25;
const streamPauseMs = 400;
const streamLength = 200;
const mostOpen = 64;
const everyFailing = 50;

const clients: SlimClient[] = [];
const logs: CallLog[] = [];
let flood: Flood | undefined;
let isCalling = true;
let loops: Promise<unknown> = Promise.resolve();

/** Runs `call` again and again; a call that takes long is not waited for, unless there are many. */
async function repeat(ms: number, call: (number: number) => Promise<void>): Promise<void> {
  const open = new Set<Promise<void>>();
  for (let number = 1; isCalling; number += 1) {
    const one = call(number).finally(() => open.delete(one));
    open.add(one);
    await setTimeout(ms);
    if (open.size >= mostOpen) await Promise.race(open);
  }
  await Promise.all(open);
}

function begin(client: SlimClient, log: CallLog): Promise<unknown> {
  const { from } = log;
  return Promise.all([
    repeat(pauseMs, (number) => {
      const b = number % everyFailing;
      const question = { id: `${from}-${number}`, a: number, b };
      return log.request(client.request<number>('add', question), b && number + b);
    }),
    repeat(pauseMs, (number) => log.event(number, client.emit('told', { from, number }))),
    repeat(streamPauseMs, () =>
      log.stream(client.stream<number>('count', { to: streamLength }), streamLength),
    ),
  ]);
}

async function start({ nodes, plainNodes, keys }: Start): Promise<void> {
  const running: Promise<unknown>[] = [];
  for (const mls of [true, false]) {
    const from = mls ? 'sealed' : 'open';
    const client = new SlimClient({
      name: `soak/shop/${from}`,
      identity: tokens(from, keys),
      node: nodes.map((url) => dialler(url, keys)),
      ...{ backoff, mls, target, spread: mls ? 1 : 2 },
      ...{ requestTimeoutMs: 15_000, rediscoverMs: 2_000 },
    });
    await client.connect();
    const log = new CallLog(from);
    clients.push(client);
    logs.push(log);
    running.push(begin(client, log));
  }
  flood = await Flood.start(plainNodes, keys);
  loops = Promise.all(running);
}

/** No new calls; those under way end by themselves. */
async function finish(): Promise<object> {
  isCalling = false;
  await loops;
  return { logs: logs.map((log) => log.outcome) };
}

const operations = {
  start,
  finish,
  flood: ({ seconds }: { seconds: number }) => flood?.send(seconds),
};

serve(operations, async () => {
  isCalling = false;
  await Promise.all([flood?.close(), ...clients.map((client) => client.close())]);
});
