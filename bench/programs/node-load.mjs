// Loads a node with frames made beforehand, so that the node has far more to do than this process.

import { serve } from '../harness/serve.mjs';
import { PairFlow } from './pair-flow.mjs';
import { RawLink, rawName } from './raw-link.mjs';
import { nowMs, Spell } from './spell.mjs';

/** @type {RawLink[]} */
const links = [];
/** @type {PairFlow[]} */
const flows = [];

const mayBeUnderWay = { frames: 4_096, bytes: 4 * 1024 * 1024 };

serve({
  /** Opens links and nothing else. */
  async open({ url, links: count }) {
    for (let at = 0; at < count; at += 1) links.push(await RawLink.dial(url));
  },

  /** Subscribes that many names on the first link. */
  async subscribe({ from, subscriptions }) {
    const numbers = Array.from({ length: subscriptions }, (_, at) => from + at);
    await links[0]?.subscribe(numbers.map((number) => rawName('receiver', number)));
  },

  /**
   * Opens pairs of links, whose receivers have all the subscriptions between them; a sender sends to one
   * name of its receiver, or to all of them in turn.
   */
  async pair({ url, pairs, subscriptions, toAll, size }) {
    const each = {
      frames: Math.ceil(mayBeUnderWay.frames / pairs),
      bytes: Math.ceil(mayBeUnderWay.bytes / pairs / size),
    };
    for (let pair = 0; pair < pairs; pair += 1) {
      const sender = await RawLink.dial(url);
      const receiver = await RawLink.dial(url);
      links.push(sender, receiver);
      const names = [];
      for (let at = pair; at < subscriptions; at += pairs) names.push(rawName('receiver', at));
      await receiver.subscribe(names);
      const destinations = toAll ? names : names.slice(0, 1);
      const under = Math.min(each.frames, each.bytes);
      flows.push(new PairFlow({ sender, receiver, destinations, size, mayBeUnderWay: under }));
    }
  },

  /** Keeps the node busy for that long; settles when everything arrived. */
  async send({ ms }) {
    const before = arrived();
    const startedAtMs = nowMs();
    for (const flow of flows) flow.start();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await Promise.all(flows.map((flow) => flow.stop()));
    const lastAtMs = Math.max(...flows.map((flow) => flow.lastAtMs));
    return { count: arrived() - before, elapsedMs: lastAtMs - startedAtMs };
  },

  /** Settles with the time a node answered a link, however often it had to be dialled. */
  async untilAnswered({ url }) {
    const spell = new Spell({ ms: 20_000 });
    while (spell.goesOn(0)) {
      try {
        links.push(await RawLink.dial(url));
        return { answeredAtMs: nowMs() };
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5)); // It does not listen yet.
      }
    }
    throw new Error('no node answered');
  },

  async close() {
    await Promise.all(links.splice(0).map((link) => link.close()));
  },
});

const arrived = () => flows.reduce((sum, flow) => sum + flow.arrived, 0);
