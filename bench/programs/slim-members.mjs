// Several applications of a SLIM library, each with a link of its own, that are invited to a channel.
//   node slim-members.mjs ours|official

import { serve } from '../harness/serve.mjs';
import { Arrivals } from './arrivals.mjs';
import { loadLibrary } from './library.mjs';

/** @type {import('./library.mjs').LibraryApp[]} */
const apps = [];
/** @type {import('./library.mjs').LibrarySession[]} */
let channels;
/** @type {Arrivals[]} */
let arrivals;

serve({
  async connect({ names, ...place }) {
    const library = await loadLibrary(process.argv[2]);
    for (const name of names) apps.push(await library.connect({ ...place, name }));
  },

  /** Settles when every application is in, or that many of them, who are not looked after then. */
  async join({ visitors }) {
    const sessions = await Promise.all(apps.slice(0, visitors).map((app) => app.accept()));
    if (visitors === undefined) channels = sessions;
  },

  /** Counts what arrives at each from now on, in the background. */
  receive({ size }) {
    arrivals = channels.map(({ messages }) => {
      const each = new Arrivals(size);
      void each.read(messages);
      return each;
    });
  },

  /** Settles when each of them has that many. */
  async received({ total }) {
    const ends = await Promise.all(arrivals.map((each) => each.all(total)));
    return { lastAtMs: Math.max(...ends) };
  },
});
