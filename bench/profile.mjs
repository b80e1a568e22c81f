// node bench/profile.mjs FILE.cpuprofile... [--top N]
//
// Prints where processes spent their time (--profile of the harness records it): the functions with
// the most time of their own, as shares of the time the process was not idle. `self` is without what
// a function called, `total` with it.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * @typedef {{ functionName: string, url: string, lineNumber: number }} CallFrame
 * @typedef {{ id: number, callFrame: CallFrame, children?: number[] }} ProfileNode
 * @typedef {{ nodes: ProfileNode[], samples: number[], timeDeltas: number[] }} Profile
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { top: { type: 'string', default: '15' } },
});

for (const path of positionals) {
  const { self, total } = timesByFunction(JSON.parse(readFileSync(path, 'utf8')));
  const allUs = [...self.values()].reduce((sum, us) => sum + us, 0);
  const busyUs = allUs - (self.get('(idle)') ?? 0);
  self.delete('(idle)');
  console.log(`${basename(path)}: busy ${share(busyUs, allUs)} of ${(allUs / 1e6).toFixed(1)} s`);
  console.log('     self    total');
  const top = [...self].sort(([, a], [, b]) => b - a).slice(0, Number(values.top));
  for (const [name, us] of top) {
    console.log(`  ${share(us, busyUs)}  ${share(total.get(name) ?? 0, busyUs)}  ${name}`);
  }
}

/**
 * Microseconds by function.
 * @param {Profile} profile
 */
function timesByFunction({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  /** @type {Map<number, number>} */
  const selfOfNode = new Map();
  samples.forEach((id, at) => add(selfOfNode, id, timeDeltas[at] ?? 0));

  /** @type {Map<string, number>} */
  const self = new Map();
  /** @type {Map<string, number>} */
  const total = new Map();
  /** @type {(id: number, callers: readonly string[]) => number} */
  const visit = (id, callers) => {
    const node = byId.get(id);
    const name = node ? describe(node.callFrame) : '';
    const own = selfOfNode.get(id) ?? 0;
    const path = [...callers, name];
    const all = (node?.children ?? []).reduce((sum, child) => sum + visit(child, path), own);
    add(self, name, own);
    if (!callers.includes(name)) add(total, name, all); // Once for a function that calls itself.
    return all;
  };
  visit(nodes[0]?.id ?? 0, []);
  return { self, total };
}

/**
 * @template Key
 * @param {Map<Key, number>} sums
 * @param {Key} key
 * @param {number} value
 */
function add(sums, key, value) {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

/** @param {CallFrame} frame */
function describe({ functionName, url, lineNumber }) {
  const file = url.split('/').slice(-3).join('/');
  return `${functionName || '(anonymous)'}${file && `  ${file}:${lineNumber + 1}`}`;
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return `${((part / whole) * 100).toFixed(1)} %`.padStart(7);
}
