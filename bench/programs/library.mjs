/**
 * One end of a session, whichever library it belongs to.
 * @typedef {object} LibrarySession
 * @property {AsyncIterable<{ readonly payload: Uint8Array }>} messages what the other side publishes
 * @property {(payload: Uint8Array<ArrayBuffer>) => Promise<{ acknowledged: Promise<unknown> }>} publish
 *   settles when the library took the payload, which must have its buffer for itself
 * @property {() => Promise<void>} close
 */

/**
 * The moderator's end of a channel.
 * @typedef {object} ModeratedExtras
 * @property {(names: readonly string[]) => Promise<void>} inviteInTurn each when the one before is in
 * @property {(names: readonly string[]) => Promise<void>} inviteAtOnce as fast as the library lets us
 * @property {() => Promise<number>} memberCount how many are in, the moderator included
 * @typedef {LibrarySession & ModeratedExtras} LibraryChannel
 */

/**
 * One application on a link of its own.
 * @typedef {object} LibraryApp
 * @property {(peer: string, options: Mode) => Promise<LibrarySession>} open
 * @property {() => Promise<LibrarySession>} accept the next session or channel of others
 * @property {(name: string, options: Mode) => Promise<LibraryChannel>} createChannel
 * @typedef {{ mls: boolean, reliable: boolean }} Mode
 */

/**
 * What a contender among the SLIM libraries does: connects applications to a node.
 * @typedef {object} Library
 * @property {(options: { url: string, name: string, secret: string }) => Promise<LibraryApp>} connect
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
