// A Nest client that calls the server of nest-server.mjs.
//   node nest-client.mjs tcp|nats|redis|grpc|slim

import 'reflect-metadata';
import { serve } from '../harness/serve.mjs';
import { percentile } from '../harness/statistics.mjs';
import { nestTransport } from './nest-transports.mjs';
import { nowMs, Spell } from './spell.mjs';

const { client: createClient } = nestTransport(process.argv[2]);
/** @type {ReturnType<typeof createClient>} */
let client;
/** The number of the next request. */
let next = 0;

serve({
  async connect(place) {
    client = createClient(place);
    await client.connect();
  },

  /** That many callers, each asking again as soon as it has its answer, for a spell. */
  async call({ spell: options, size, callers }) {
    const spell = new Spell(options);
    /** @type {number[]} */
    const latenciesMs = [];
    const caller = async () => {
      while (spell.goesOn(latenciesMs.length)) {
        const request = `${next++} `.padEnd(size, 'x');
        const askedAtMs = nowMs();
        const answer = await client.ask(request);
        latenciesMs.push(nowMs() - askedAtMs);
        if (answer !== request) throw new Error(`"${request}" was answered with "${answer}"`);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return {
      count: latenciesMs.length,
      elapsedMs: spell.elapsedMs,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
    };
  },
});
