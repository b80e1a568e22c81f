/**
 * What the runs to come will take, each as long as the last of its kind took, or as the mean of all
 * where there was none; undefined before the first has ended.
 * @param {object} state
 * @param {string} state.running the kind of the run that goes on
 * @param {number} state.elapsedMs for how long it does
 * @param {readonly string[]} state.left kinds of the runs to come
 * @param {ReadonlyMap<string, number>} state.tookMs by kind
 */
export function timeLeftMs({ running, elapsedMs, left, tookMs }) {
  if (tookMs.size === 0) return undefined;
  const meanMs = [...tookMs.values()].reduce((sum, ms) => sum + ms, 0) / tookMs.size;
  const expectedMs = (/** @type {string} */ kind) => tookMs.get(kind) ?? meanMs;
  const ofRunningMs = Math.max(0, expectedMs(running) - elapsedMs);
  return left.reduce((sum, kind) => sum + expectedMs(kind), ofRunningMs);
}
