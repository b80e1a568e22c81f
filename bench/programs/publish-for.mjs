import { numberedPayload } from './numbered-payload.mjs';
import { Spell } from './spell.mjs';

/** Messages not yet acknowledged: half of what an official sender keeps for retransmission. */
const maxInFlight = 256;

/**
 * Publishes numbered messages for a spell; settles when the last one is acknowledged, with their number
 * since the first of all.
 * @param {import('./library.mjs').LibrarySession} session
 * @param {{ spell: import('./spell.mjs').SpellOptions, size: number, first: number }} options
 */
export async function publishFor(session, { spell: options, size, first }) {
  const spell = new Spell(options);
  let next = first;
  /** @type {Promise<unknown>[]} */
  const inFlight = [];
  for (; spell.goesOn(next - first); next += 1) {
    const slot = next % maxInFlight;
    await inFlight[slot];
    const { acknowledged } = await session.publish(numberedPayload(next, size));
    acknowledged.catch(() => undefined); // Awaited when the slot comes round again, or below.
    inFlight[slot] = acknowledged;
  }
  await Promise.all(inFlight);
  return { startedAtMs: spell.startedAtMs, total: next };
}
