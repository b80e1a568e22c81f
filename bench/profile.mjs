// node bench/profile.mjs FILE.cpuprofile... [--top N] [--by-layer]
//
// Prints where processes spent their time (--profile of the harness records it): the functions with
// the most time of their own, as shares of the time the process was not idle. `self` is without what
// a function called, `total` with it. A process is profiled from its start, so loading is in there.
//
//   --top        how many lines a process; 15 unless given
//   --by-layer   the parts of the program instead of functions: folders of ours, packages, modules of
//                Node.js, garbage collection; `total` is with the parts that it called

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { layerOf } from './report/profile-layer.mjs';

/**
 * @typedef {import('./report/profile-layer.mjs').CallFrame} CallFrame
 * @typedef {{ id: number, callFrame: CallFrame, children?: number[] }} ProfileNode
 * @typedef {{ nodes: ProfileNode[], samples: number[], timeDeltas: number[] }} Profile
 * @typedef {(frame: CallFrame, callerName: string) => string} Naming what a call counts for
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    top: { type: 'string', default: '15' },
    'by-layer': { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) throw new Error('expected files of CPU profiles, got none');

for (const path of positionals) {
  const naming = values['by-layer'] ? layerOf : describe;
  const idle = values['by-layer'] ? 'idle' : '(idle)';
  const { self, total } = timesByName(JSON.parse(readFileSync(path, 'utf8')), naming);
  const allUs = [...self.values()].reduce((sum, us) => sum + us, 0);
  const busyUs = allUs - (self.get(idle) ?? 0);
  self.delete(idle);
  console.log(`${basename(path)}: busy ${share(busyUs, allUs)} of ${(allUs / 1e6).toFixed(1)} s`);
  console.log('     self    total');
  const top = [...self].sort(([, a], [, b]) => b - a).slice(0, Number(values.top));
  for (const [name, us] of top) {
    console.log(`  ${share(us, busyUs)}  ${share(total.get(name) ?? 0, busyUs)}  ${name}`);
  }
}

/**
 * Microseconds by name.
 * @param {Profile} profile
 * @param {Naming} naming
 */
function timesByName({ nodes, samples, timeDeltas }, naming) {
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
    const name = node ? naming(node.callFrame, callers.at(-1) ?? '') : '';
    const own = selfOfNode.get(id) ?? 0;
    const path = [...callers, name];
    const all = (node?.children ?? []).reduce((sum, child) => sum + visit(child, path), own);
    add(self, name, own);
    if (!callers.includes(name)) add(total, name, all); // Once for a name that calls itself.
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
