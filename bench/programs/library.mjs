/**
 * One end of a session, whichever library it belongs to.
 * @typedef {object} LibrarySession
 * @property {AsyncIterable<{ readonly payload: Uint8Array }>} messages what the other side publishes
 * @property {(payload: Uint8Array<ArrayBuffer>) => Promise<{ acknowledged: Promise<unknown> }>} publish
 *   settles when the library took the payload, which must have its buffer for itself
 * @property {() => Promise<void>} close
 */

/**
 * What a contender among the SLIM libraries does: connects one application to a node.
 * @typedef {object} Library
 * @property {(options: { url: string, name: string, secret: string }) => Promise<{
 *   open(peer: string, options: { mls: boolean, reliable: boolean }): Promise<LibrarySession>,
 *   accept(): Promise<LibrarySession>,
 * }>} connect
 */

/** @type {Record<string, () => Promise<Library>>} */
const libraries = {
  ours: () => import('./our-library.mjs'),
  official: () => import('./official-library.mjs'),
};

/**
 * @param {string | undefined} name
 * @returns {Promise<Library>}
 */
export async function loadLibrary(name = '') {
  const load = libraries[name];
  if (!load) throw new Error(`expected one of ${Object.keys(libraries).join(', ')}, got "${name}"`);
  return load();
}
