import { loadavg } from 'node:os';
import type { SoakResult } from './soak.js';
import type { Verdict } from './verdict.js';

type Row = readonly [what: string, count: number | string];

const shown = 20;

/** The counts of a soak, for the last line and the table. */
export function figures(result: SoakResult, verdict: Verdict): Readonly<Record<string, number>> {
  const { calls, room, lives, faults, handled } = result;
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  const dropped = (reason: string): number =>
    sum(lives.map(({ counters }) => counters.dropped[reason] ?? 0));
  return {
    requests: sum(calls.map(({ answered }) => answered)),
    events: sum(calls.map(({ arrived }) => arrived.length)),
    streams: sum(calls.map(({ streams }) => streams)),
    items: sum(calls.map(({ items }) => items)),
    typedErrors: sum(calls.flatMap(({ failed }) => Object.values(failed))),
    handled: sum(handled.map(({ length }) => length)),
    channelPublished: room.published,
    channelDelivered: room.delivered,
    channelReceived: room.received,
    memberships: room.memberships,
    changes: room.changes,
    epoch: room.epoch,
    restored: result.restored,
    frames: sum(lives.map(({ counters }) => counters.received)),
    forwarded: sum(lives.map(({ counters }) => counters.forwarded)),
    refused: sum(lives.map(({ counters }) => counters.refused)),
    shed: dropped('overload'),
    noRoute: dropped('no-route'),
    malformed: dropped('malformed'),
    faults: sum(Object.values(faults)),
    lost: verdict.lost.length,
    duplicates: verdict.duplicates.length,
    disordered: verdict.disordered.length,
    leaked: verdict.leaked.length,
    wrong: verdict.wrong.length,
    unbounded: verdict.unbounded.length,
  };
}

/** The counts for people. */
export function table(result: SoakResult, verdict: Verdict): string {
  const { calls, room, held, faults, hasOfficialNode } = result;
  const failed = [...calls.map(({ from, failed: codes }) => ({ from, codes }))].flatMap(
    ({ from, codes }) => Object.entries(codes).map(([code, n]): Row => [`  ${from}: ${code}`, n]),
  );
  const rows: readonly (Row | string)[] = [
    `nodes: two of ours${hasOfficialNode ? ' and an official one' : ''}; load average ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
    'counts',
    ...Object.entries(figures(result, verdict)).map(([name, n]): Row => [`  ${name}`, n]),
    'faults',
    ...Object.entries(faults).map(([name, n]): Row => [`  ${name}`, n]),
    'calls that failed, with a code',
    ...failed,
    'changes of the channel that failed, with a code',
    ...Object.entries(room.failed).map(([name, n]): Row => [`  ${name}`, n]),
    'longest life: memory at most, growth, MB a minute; handles at most, growth',
    ...held.map((life): Row => [
      `  ${life.name}, ${life.seconds} s`,
      `${life.peakMb} MB, ${life.growthMb}, ${life.mbPerMinute}; ${life.peakHandles}, ${life.growthHandles}`,
    ]),
  ];
  return rows
    .map((row) => (typeof row === 'string' ? row : `${row[0].padEnd(48)} ${row[1]}`))
    .join('\n');
}

/** What was promised and not kept. */
export function broken(verdict: Verdict): readonly string[] {
  return Object.entries(verdict).flatMap(([what, cases]: [string, readonly string[]]) => [
    ...cases.slice(0, shown).map((one) => `${what}: ${one}`),
    ...(cases.length > shown ? [`${what}: and ${cases.length - shown} more`] : []),
  ]);
}
