import type { CallOutcome } from './parties/call-log.js';
import type { RoomOutcome } from './parties/room-outcome.js';
import { guestFaults } from './guest-log.js';
import { shortestLifeMs, type Held } from './watch.js';

/** What came of a soak. */
export interface Findings {
  readonly calls: readonly CallOutcome[];
  readonly room: RoomOutcome;
  /** Of each instance of the service, what it handled. */
  readonly handled: readonly (readonly string[])[];
  readonly guestLines: readonly string[];
  readonly held: readonly Held[];
  readonly crashes: readonly string[];
  readonly wrong: readonly string[];
}

/** Where the promises were not kept; each list is empty when they were. */
export interface Verdict {
  readonly lost: readonly string[];
  readonly duplicates: readonly string[];
  readonly disordered: readonly string[];
  /** What reached somebody who was no member. */
  readonly leaked: readonly string[];
  /** Wrong answers, errors without a code, calls without an end, faults of processes. */
  readonly wrong: readonly string[];
  readonly unbounded: readonly string[];
}

/** More growth than this, once it is warm, is a leak. Memory that is collected late is not. */
const mostGrowthMb = 40;
const mostGrowthHandles = 16;
const mostMb = 512;

/** Holds what was seen against what was promised. */
export function judge(findings: Findings): Verdict {
  const { calls, room, handled, guestLines, crashes, held } = findings;
  const events = handled.flatMap((lines) => lines.filter((line) => line.startsWith('event ')));
  const keyed = (line: string): string => line.split(' ').slice(0, 3).join(' ');
  const handledEvents = new Set(events.map(keyed));
  const guest = guestFaults(guestLines, room.toGuest);
  const told = calls.flatMap(({ from, arrived }) =>
    arrived.map((number) => `event ${from} ${number}`),
  );
  const requests = handled.flatMap((lines) => lines.filter((line) => line.startsWith('request ')));
  return {
    lost: [...told.filter((event) => !handledEvents.has(event)), ...room.lost, ...guest.lost],
    duplicates: [...twice(events.map(keyed)), ...twice(requests), ...guest.duplicates],
    disordered: [...handled.flatMap(disordered), ...room.disordered, ...guest.disordered],
    leaked: [
      ...room.afterRemoval,
      ...(room.heardOutside > 0 ? [`${room.heardOutside} reached a stranger`] : []),
    ],
    wrong: [
      ...findings.wrong,
      ...crashes,
      ...room.wrong,
      ...calls.flatMap(({ from, wrong }) => wrong.map((what) => `${from}: ${what}`)),
    ],
    unbounded: held.flatMap(unbounded),
  };
}

function twice(lines: readonly string[]): string[] {
  const seen = new Set<string>();
  return lines.filter((line) => seen.size === seen.add(line).size);
}

/** Events of one session that one instance handled after a later one; a message may carry several. */
function disordered(lines: readonly string[]): string[] {
  const last = new Map<string, number>();
  return lines.flatMap((line) => {
    const [kind, from, , session, messageId] = line.split(' ');
    if (kind !== 'event') return [];
    const key = `${from} ${session}`;
    const before = last.get(key) ?? 0;
    last.set(key, Number(messageId));
    return Number(messageId) >= before ? [] : [`${line} after ${before}`];
  });
}

function unbounded({ name, seconds, ...life }: Held): string[] {
  const grown: string[] = [];
  if (life.peakMb > mostMb) grown.push(`${name} took ${life.peakMb} MB`);
  if (seconds * 1_000 < shortestLifeMs) return grown;
  if (life.growthMb > mostGrowthMb) grown.push(`${name} grew by ${life.growthMb} MB`);
  if (life.growthHandles > mostGrowthHandles)
    grown.push(`${name} grew by ${life.growthHandles} handles`);
  return grown;
}
