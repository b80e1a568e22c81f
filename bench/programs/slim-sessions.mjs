// One application of a SLIM library with many sessions.
//   node slim-sessions.mjs ours|official

import { serve } from '../harness/serve.mjs';
import { median } from '../harness/statistics.mjs';
import { loadLibrary } from './library.mjs';
import { memoryUse } from './memory-use.mjs';
import { nowMs, Spell } from './spell.mjs';

/** @typedef {import('./library.mjs').LibrarySession} LibrarySession */

/** @type {import('./library.mjs').LibraryApp} */
let app;
/** Sessions of others, and how many of them ended. */
let accepted = 0;
let ended = 0;
/** @type {LibrarySession[]} */
const kept = [];
/** @type {unknown} */
let failure;

serve({
  async connect(options) {
    const library = await loadLibrary(process.argv[2]);
    app = await library.connect(options);
  },

  /** Takes whatever is opened from now on, in the background. */
  accept() {
    const acceptAll = async () => {
      for (;;) {
        const session = await app.accept();
        accepted += 1;
        readToEnd(session).catch(failed);
      }
    };
    acceptAll().catch(failed);
  },

  /** Opens and closes sessions one after the other, for a spell. */
  async openAndClose({ spell: options, peer, ...mode }) {
    const spell = new Spell(options);
    const opensMs = [];
    const closesMs = [];
    while (spell.goesOn(opensMs.length)) {
      const openedAtMs = nowMs();
      const session = await app.open(peer, mode);
      const closedAtMs = nowMs();
      opensMs.push(closedAtMs - openedAtMs);
      await session.close();
      closesMs.push(nowMs() - closedAtMs);
    }
    return { count: opensMs.length, openMs: median(opensMs), closeMs: median(closesMs) };
  },

  /** Opens that many sessions and keeps them. */
  async keep({ count, peer, ...mode }) {
    for (let at = 0; at < count; at += 1) kept.push(await app.open(peer, mode));
  },

  async closeKept() {
    await Promise.all(kept.splice(0).map((session) => session.close()));
  },

  /** How many sessions of others there have been, once that many ended. */
  async counts({ ended: expected }) {
    const spell = new Spell({ ms: 0, atLeast: expected, atMostMs: 10_000 });
    while (!failure && spell.goesOn(ended)) await new Promise((resolve) => setTimeout(resolve, 20));
    if (failure) throw failure;
    return { accepted, ended };
  },

  memory: memoryUse,
});

/** @param {LibrarySession} session */
async function readToEnd(session) {
  for await (const _ of session.messages) throw new Error('nobody published anything');
  ended += 1;
}

/** @param {unknown} reason */
function failed(reason) {
  failure = reason;
}
