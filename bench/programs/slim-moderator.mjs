// One application of a SLIM library that moderates channels.
//   node slim-moderator.mjs ours|official

import { serve } from '../harness/serve.mjs';
import { loadLibrary } from './library.mjs';
import { publishFor } from './publish-for.mjs';
import { nowMs } from './spell.mjs';

/** @typedef {import('./library.mjs').LibraryChannel} LibraryChannel */

/** @type {import('./library.mjs').LibraryApp} */
let app;
/** By name, with the number of the next message. @type {Map<string, { channel: LibraryChannel, next: number }>} */
const channels = new Map();

serve({
  async connect(options) {
    const library = await loadLibrary(process.argv[2]);
    app = await library.connect(options);
  },

  async create({ channel: name, mls, reliable }) {
    channels.set(name, { channel: await app.createChannel(name, { mls, reliable }), next: 0 });
  },

  /** Brings them all in, and fails when one is missing. */
  async invite({ channel: name, names, atOnce }) {
    const { channel } = created(name);
    const startedAtMs = nowMs();
    const before = process.cpuUsage();
    await (atOnce ? channel.inviteAtOnce(names) : channel.inviteInTurn(names));
    const { user, system } = process.cpuUsage(before);
    const elapsedMs = nowMs() - startedAtMs;
    const members = await channel.memberCount();
    const expected = names.length + 1;
    if (members !== expected) throw new Error(`${members} of ${expected} are in the channel`);
    return { elapsedMs, cpuMs: (user + system) / 1000 };
  },

  /** Publishes for a spell; settles, with all messages so far, when everybody has the last one. */
  async publish({ channel: name, ...options }) {
    const target = created(name);
    const published = await publishFor(target.channel, { ...options, first: target.next });
    target.next = published.total;
    return published;
  },

  /** Ends that channel, or all of them. */
  async close({ channel: name }) {
    const ended = name === undefined ? [...channels.keys()] : [name];
    await Promise.all(ended.map((each) => created(each).channel.close()));
    for (const each of ended) channels.delete(each);
  },
});

/** @param {string} name */
function created(name) {
  const found = channels.get(name);
  if (!found) throw new Error(`there is no channel ${name}`);
  return found;
}
