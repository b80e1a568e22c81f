import { setTimeout } from 'node:timers/promises';
import { tell } from '../settings.js';
import type { BoardState } from './board-state.js';
import { eventsOf } from './event-stream.js';
import { isComplete, proofsOf } from './proof.js';

// Tells the whole story at once and checks it: `story.js BOARD_URL NODE_FRAMES_URL`. Ends with 1 unless
// everything that it is meant to show can be seen on the board and in the frames of the node.
const [board = 'http://127.0.0.1:3000', node = 'http://127.0.0.1:46380'] = process.argv.slice(2);

/** How long the board may take to show something. */
const limitMs = 60_000;

/** Services start in any order. */
async function untilUp(triesLeft = 120): Promise<void> {
  try {
    await fetch(`${board}/health`);
  } catch (reason) {
    if (triesLeft === 0) throw reason;
    await setTimeout(500);
    await untilUp(triesLeft - 1);
  }
}

/** What the board shows as soon as that holds. */
async function shows(holds: (state: BoardState) => boolean): Promise<BoardState> {
  for await (const data of eventsOf(`${board}/events`, AbortSignal.timeout(limitMs))) {
    const state = JSON.parse(data) as BoardState;
    if (holds(state)) return state;
  }
  throw new Error('the board ended');
}

async function next(): Promise<void> {
  const response = await fetch(`${board}/chapters`, { method: 'POST' });
  if (!response.ok) throw new Error(`the board answered ${response.status}`);
}

await untilUp();
const { titles } = await shows(({ members }) => members.length >= 5);
for (const title of titles) {
  tell('story', title);
  await next();
}
const state = await shows(isComplete);
const past = await (await fetch(`${node}/frames/past`)).text();
const proofs = proofsOf(
  state,
  past.split('\n').map((hex) => Buffer.from(hex, 'hex')),
);
for (const { claim, holds, shownBy } of proofs) {
  tell('story', `${holds ? 'PROVEN' : 'NOT PROVEN'}: ${claim}`);
  for (const fact of shownBy) tell('story', `  ${fact}`);
}
if (!proofs.every(({ holds }) => holds)) throw new Error('the story does not hold');
// Streams of events are still open.
process.exit();
