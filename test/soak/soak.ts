import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { seededRandom } from '@nestjs-slim/core/testing';
import { Crew } from './crew.js';
import { Faults } from './faults.js';
import { startNetwork, type Network } from './network/network.js';
import { description, type NodeFigures } from './network/our-node.js';
import type { Findings } from './verdict.js';
import { Watch } from './watch.js';

/** How a soak is run. */
export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Only faults with one of these in their names; all where there is none. */
  readonly only: readonly string[];
  /** Where what the applications log is kept; nowhere when absent. */
  readonly logs: string | undefined;
  /** Without the official node, even where it is installed. */
  readonly oursOnly: boolean;
  /** Told what happens as it does. */
  readonly note: (what: string) => void;
}

/** What was seen, and how much of it there was. */
export interface SoakResult extends Findings {
  readonly faults: Readonly<Record<string, number>>;
  /** Times that a killed member went on by what it had kept. */
  readonly restored: number;
  /** Of our nodes, each life of each. */
  readonly lives: readonly NodeFigures[];
  readonly hasOfficialNode: boolean;
  /** What our nodes knew when all was whole again. */
  readonly description: string;
}

const samplePauseMs = 1_000;
/** Time without faults before the load ends. */
const quietMs = 3_000;

/** Runs load and faults on a network of processes, which are all gone when it settles. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { logs } = options;
  if (logs !== undefined) await mkdir(logs, { recursive: true });
  const folder = logs ?? (await mkdtemp(join(tmpdir(), 'slim-soak-')));
  try {
    const network = await startNetwork(folder, options.oursOnly);
    try {
      return await withNetwork(network, folder, options);
    } finally {
      await network.close();
    }
  } finally {
    if (logs === undefined) await rm(folder, { recursive: true });
  }
}

async function withNetwork(
  network: Network,
  folder: string,
  { seconds, seed, note, only }: SoakOptions,
): Promise<SoakResult> {
  const crew = await Crew.start(network, folder, seed);
  const watch = new Watch();
  const over = new AbortController();
  const observing = observe(network, crew, watch, over.signal);
  const faults = new Faults({ network, crew, random: seededRandom(seed), note, only });
  try {
    note('everything runs');
    await faults.run(AbortSignal.timeout(seconds * 1_000));
    note('no more faults');
    await setTimeout(quietMs);
    const knew = await describe(network);
    const { calls, room } = await crew.finish();
    note('the load has ended');
    over.abort();
    await observing;
    for (const node of network.nodes) await node.read();
    const { guestLines } = crew;
    await crew.stop();
    const crashed = network.nodes.filter(({ hasCrashed }) => hasCrashed);
    return {
      ...{ calls, room, guestLines, handled: crew.handled, held: watch.lives },
      crashes: [...crew.crashes, ...crashed.map(({ name, log }) => `node ${name} died:\n${log}`)],
      ...{ wrong: faults.wrong, faults: faults.counts, restored: faults.restored },
      description: knew,
      lives: network.nodes.flatMap(({ lives }) => lives),
      hasOfficialNode: network.official !== undefined,
    };
  } finally {
    over.abort();
    await observing;
    await crew.stop();
  }
}

async function describe({ nodes }: Network): Promise<string> {
  const texts = nodes.map(async (node) => {
    const figures = await node.read();
    return `node ${node.name}\n${figures ? description(figures) : '  does not answer'}`;
  });
  return (await Promise.all(texts)).join('\n');
}

async function observe(
  network: Network,
  crew: Crew,
  watch: Watch,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { nodes, official } = network;
    await Promise.all(nodes.map((node) => node.read()));
    for (const node of nodes) watch.sample(`node ${node.name}`, node.pid);
    watch.sample('node, official', official?.pid);
    for (const [name, { pid }] of crew.processes) watch.sample(name, pid);
    await setTimeout(samplePauseMs);
  }
}
