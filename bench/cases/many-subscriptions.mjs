import { LeftOut } from '../harness/left-out.mjs';

/**
 * What a name costs the official node grows with the number there are: 0.2 ms of CPU time each for 1,000
 * of them, 0.8 ms for 10,000 (case `memory of a node`), so that 100,000 take minutes.
 */
const most = 10_000;

/**
 * @param {import('./slim-pair.mjs').Library} kind
 * @param {number} subscriptions
 * @throws LeftOut where subscribing alone takes longer than a run may
 */
export function leaveOutTooMany(kind, subscriptions) {
  if (kind !== 'official' || subscriptions <= most) return;
  throw new LeftOut('takes minutes to subscribe: what a name costs grows with their number');
}
