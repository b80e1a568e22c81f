/** @typedef {{ functionName: string, url: string, lineNumber: number }} CallFrame */

/**
 * Part of the program that a function belongs to: a folder of ours such as "slim-core/session", a
 * package, or a module of Node.js such as "node:crypto". What is written in C++ has no place of its
 * own and counts for its caller; so the time of a signature is in "node:crypto".
 * @param {CallFrame} frame
 * @param {string} callerLayer
 */
export function layerOf({ functionName, url }, callerLayer) {
  const isOfTheEngine = /^\(.+\)$/.test(functionName);
  if (!url) return isOfTheEngine ? functionName.slice(1, -1) : callerLayer;
  return nodeModule(url) ?? dependency(url) ?? ownFolder(url) ?? url;
}

/** @param {string} url */
function nodeModule(url) {
  // One subject has several files: stream_base_commons and streams/readable, _http_agent and http.
  const [, name] = /^node:(?:internal\/)?_?([a-z]+[0-9]*)/.exec(url) ?? [];
  return name && `node:${name.replace(/^(stream|timer)s?$/, '$1s')}`;
}

/** @param {string} url */
const dependency = (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];

/** @param {string} url */
function ownFolder(url) {
  const [, lib, folder] = /\/libs\/([^/]+)\/(?:dist|src)\/(?:([^/]+)\/)?/.exec(url) ?? [];
  if (lib) return folder ? `${lib}/${folder}` : lib;
  return /\/(bench|test|src)\//.exec(url)?.[1];
}
