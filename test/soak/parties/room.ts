import { openSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '@nestjs-slim/core';
import { LossyLinks, type Faults } from '@nestjs-slim/core/testing';
import type { Keys } from './identities.js';
import { Room } from './moderated-room.js';
import { serve } from './serve.js';

// The channel: its moderator, members that come and go, and somebody who listens to its name without being
// invited, on links that lose and repeat.

interface Start {
  readonly nodes: readonly string[];
  readonly keys: Keys;
  readonly seed: number;
  /** Where is written what happens to whom, in the order of events. */
  readonly file: string;
}

const healed = { drop: 0, duplicate: 0, delay: 0, maxDelayMs: 0, cut: 0 };
let room: Room | undefined;
let links: LossyLinks | undefined;

function current(): Room {
  if (!room) throw new Error('expected start first');
  return room;
}

serve(
  {
    async start({ nodes, keys, seed, file: path }: Start) {
      const file = openSync(path, 'a');
      const note = (what: string): unknown => writeSync(file, `${Date.now()} ${what}\n`);
      links = new LossyLinks(seed, systemClock);
      room = await Room.open(nodes, keys, links, note);
    },
    /** The links of the members lose and repeat for a while. */
    async lossy({ seconds, faults }: { seconds: number; faults: Partial<Faults> }) {
      links?.begin({ ...healed, ...faults });
      await setTimeout(seconds * 1_000);
      links?.heal();
    },
    guestIsNew: () => current().guestIsNew(),
    /** Nobody publishes or comes and goes any more; settles when all that was begun has ended. */
    finish: () => current().finish(),
  },
  async () => room?.close(),
);
