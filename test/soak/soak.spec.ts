import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { guestFaults } from './guest-log.js';
import type { RoomOutcome } from './parties/room-outcome.js';
import { judge, type Findings } from './verdict.js';

const program = fileURLToPath(new URL('../../dist/soak/soak/main.js', import.meta.url));

const started: ChildProcess[] = [];

afterEach(() => {
  for (const one of started.splice(0)) one.kill('SIGKILL');
});

/** What a soak of that long prints; needs the build. */
async function run(...words: readonly string[]) {
  const soak = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(soak);
  let errors = '';
  soak.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const lines: string[] = [];
  createInterface({ input: soak.stdout }).on('line', (line) => lines.push(line));
  const [code] = (await once(soak, 'close')) as [number | null];
  return { code, errors, counts: JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('npm run soak', () => {
  it('holds load on real processes while nodes, links and members fail, and finds every promise kept', async () => {
    const { code, errors, counts } = await run('--minutes', '0.05', '--seed', '1', '--quiet');
    expect([errors, code]).toStrictEqual(['', 0]);
    const none = { lost: 0, duplicates: 0, disordered: 0, leaked: 0, wrong: 0, unbounded: 0 };
    expect(counts).toMatchObject({ event: 'soak', seed: 1, ...none });
    for (const held of ['requests', 'events', 'items', 'channelReceived', 'changes', 'faults']) {
      expect(counts[held]).toBeGreaterThan(0);
    }
  }, 90_000);
});

const room: RoomOutcome = {
  ...{ published: 0, delivered: 0, received: 0, memberships: 0, changes: 0, epoch: 0 },
  ...{ heardOutside: 0, failed: {}, lost: [], disordered: [], afterRemoval: [], wrong: [] },
  toGuest: [],
};
const call = { from: 'a', answered: 0, arrived: [], items: 0, streams: 0, failed: {}, wrong: [] };
const nothing: Findings = {
  ...{ calls: [], room, handled: [], guestLines: [], held: [], crashes: [], wrong: [] },
};
const life = {
  ...{ name: 'node a', seconds: 600, peakMb: 100, growthMb: 1, mbPerMinute: 0 },
  ...{ peakHandles: 30, growthHandles: 0 },
};

describe('judge', () => {
  it.each([
    ['lost', { calls: [{ ...call, arrived: [1, 2] }], handled: [['event a 1 7 1']] }],
    ['duplicates', { handled: [['event a 1 7 1'], ['event a 1 8 1']] }],
    ['duplicates', { handled: [['request a-1', 'request a-1']] }],
    ['disordered', { handled: [['event a 2 7 2', 'event a 1 7 1']] }],
    ['leaked', { room: { ...room, afterRemoval: ['one-1: moderator 3'] } }],
    ['leaked', { room: { ...room, heardOutside: 1 } }],
    ['wrong', { calls: [{ ...call, wrong: ['a request failed with TypeError'] }] }],
    ['wrong', { crashes: ['node a died'] }],
    ['unbounded', { held: [{ ...life, growthMb: 50 }] }],
    ['unbounded', { held: [{ ...life, growthHandles: 50 }] }],
    ['unbounded', { held: [{ ...life, peakMb: 5_000 }] }],
  ])('finds what is %s: %j', (broken, found) => {
    const verdict = judge({ ...nothing, ...found });
    const counts = Object.entries(verdict).map(([name, cases]: [string, unknown[]]) => [
      name,
      cases.length,
    ]);
    expect(counts.filter(([, count]) => count !== 0)).toStrictEqual([[broken, 1]]);
  });

  it('finds nothing where all was kept', () => {
    const handled = [['request a-1', 'event a 1 7 1', 'event a 2 7 2'], ['event a 3 8 1']];
    const calls = [{ ...call, arrived: [1, 2, 3] }];
    const verdict = judge({ ...nothing, calls, handled, held: [life] });
    expect(Object.values(verdict).flat()).toStrictEqual([]);
  });
});

describe('guestFaults', () => {
  const delivered = ['one-1 1', 'one-1 2', 'one-1 4'];
  it.each([
    [
      'nothing, where only what failed is missing',
      ['got g one-1 1', 'got g one-1 2', 'got g one-1 4'],
      {},
    ],
    ['what is lost in between', ['got g one-1 1', 'got g one-1 4'], { lost: ['g: one-1 2'] }],
    ['what came twice', ['got g one-1 1', 'got g one-1 1'], { duplicates: ['g: one-1 1'] }],
    ['what came late', ['got g one-1 2', 'got g one-1 1'], { disordered: ['g: one-1 1'] }],
    [
      'nothing in what is repeated to a member that goes on by what it had kept',
      ['restored g 7', 'got g one-1 2', 'got g one-1 1', 'got g one-1 4'],
      {},
    ],
    ['nothing of another membership', ['got g one-1 1', 'got h one-1 4'], {}],
  ])('finds %s', (_what, lines, expected) => {
    const none = { lost: [], duplicates: [], disordered: [] };
    expect(guestFaults(lines, delivered)).toStrictEqual({ ...none, ...expected });
  });
});
