// One application of a SLIM library with one session: the sender, receiver, caller or echo of a run.
//   node slim-app.mjs ours|official

import { serve } from '../harness/serve.mjs';
import { median } from '../harness/statistics.mjs';
import { Arrivals } from './arrivals.mjs';
import { loadLibrary } from './library.mjs';
import { checkPayload, numberedPayload } from './numbered-payload.mjs';
import { publishFor } from './publish-for.mjs';
import { nowMs, Spell } from './spell.mjs';

/** @type {import('./library.mjs').LibraryApp} */
let app;
/** @type {import('./library.mjs').LibrarySession} */
let session;
/** @type {Arrivals} */
let arrivals;
/** @type {AsyncIterator<{ payload: Uint8Array }>} */
let replies;
/** The number of the next message. */
let next = 0;
/** @type {unknown} */
let echoFailure;

serve({
  async connect(options) {
    const library = await loadLibrary(process.argv[2]);
    app = await library.connect(options);
  },

  async open({ peer, mls, reliable }) {
    session = await app.open(peer, { mls, reliable });
    replies = session.messages[Symbol.asyncIterator]();
  },

  async accept() {
    session = await app.accept();
  },

  /** Publishes for a spell; settles, with all messages so far, when the last one is acknowledged. */
  async publish({ spell, size }) {
    const published = await publishFor(session, { spell, size, first: next });
    next = published.total;
    return published;
  },

  /** Counts what arrives from now on, in the background. */
  receive({ size }) {
    arrivals = new Arrivals(size);
    void arrivals.read(session.messages);
  },

  async received({ total }) {
    return { lastAtMs: await arrivals.all(total) };
  },

  /** Sends everything back from now on, in the background. */
  echo() {
    const answer = async () => {
      for await (const { payload } of session.messages) {
        const { acknowledged } = await session.publish(payload.slice());
        acknowledged.catch(echoFailed);
      }
    };
    answer().catch(echoFailed);
  },

  /** Publishes and waits for the answer, one at a time, for a spell. */
  async call({ spell: options, size }) {
    const spell = new Spell(options);
    /** @type {number[]} */
    const latenciesMs = [];
    for (; spell.goesOn(latenciesMs.length); next += 1) {
      const startedAtMs = nowMs();
      const reply = replies.next();
      const { acknowledged } = await session.publish(numberedPayload(next, size));
      acknowledged.catch(echoFailed);
      const { done, value } = await reply;
      if (done) throw new Error('the session ended');
      latenciesMs.push(nowMs() - startedAtMs);
      checkPayload(value.payload, next, size);
    }
    if (echoFailure) throw echoFailure;
    return { p50Ms: median(latenciesMs) };
  },

  async close() {
    await session.close();
    if (echoFailure) throw echoFailure;
  },
});

/** @param {unknown} reason */
function echoFailed(reason) {
  echoFailure = reason;
}
