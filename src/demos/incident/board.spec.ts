import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sharedSecret, type Channel } from '@nestjs-slim/core';
import { SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { firstValueFrom } from 'rxjs';
import { Board } from './board.js';
import type { BoardState } from './board-state.js';
import { room } from './names.js';
import { seenFrame } from './seen-frame.js';

const identity = sharedSecret({ secret: 'a secret that only the tests of this file share' });

/** A real node between two members of the room, and the frames that it forwarded. */
let node: SlimNode;
let frames: Uint8Array[];
let apps: SlimApp[];

beforeEach(async () => {
  frames = [];
  apps = [];
  node = await SlimNode.start({ onForward: (frame) => frames.push(frame) });
});

afterEach(async () => {
  for (const app of apps) await app.close();
  await node.close();
});

async function connect(name: string): Promise<SlimApp> {
  const app = await SlimApp.connect({ name, identity, node });
  apps.push(app);
  return app;
}

async function firstChannel(app: SlimApp): Promise<Channel> {
  for await (const channel of app.sessions()) if (channel.kind === 'channel') return channel;
  throw new Error('the application ended before anybody invited it');
}

/** Publishes in the room and gives the message as the other member has it. */
async function say(text: string) {
  const moderator = await connect('acme/ops/moderator');
  const joining = firstChannel(await connect('acme/ops/triage'));
  const channel = await moderator.createChannel(room);
  await channel.invite('acme/ops/triage');
  const member = await joining;
  await channel.publish(Buffer.from(text));
  const { source, messageId } = await member.next({ timeoutMs: 2_000 });
  return { sessionId: member.id, source: String(source), messageId };
}

const stateOf = (board: Board): Promise<BoardState> => firstValueFrom(board.state$);

describe('the board', () => {
  it('puts a message beside the frame that carried it, whichever comes first', async () => {
    const key = await say('a secret of the room');
    const [early, late] = [new Board(), new Board()];
    for (const frame of frames) early.forwarded(frame);
    early.said(key, 'a secret of the room');
    late.said(key, 'a secret of the room');
    for (const frame of frames) late.forwarded(frame);
    for (const board of [early, late]) {
      const { entries, unmatched } = await stateOf(board);
      const seen = { by: 'moderator', epoch: 1, copies: 1 };
      expect(entries).toMatchObject([{ kind: 'message', by: 'moderator', readBy: [], seen }]);
      expect(unmatched).toStrictEqual([]);
    }
  });

  it('shows a frame that nobody could read as one without a message', async () => {
    await say('never heard by the board');
    const board = new Board();
    for (const frame of frames) board.forwarded(frame);
    const { entries, unmatched } = await stateOf(board);
    expect(entries).toStrictEqual([]);
    expect(unmatched).toMatchObject([{ by: 'moderator', copies: 1 }]);
  });

  it('counts a frame once that the node shows again', async () => {
    await say('once');
    const board = new Board();
    for (const frame of [...frames, ...frames]) board.forwarded(frame);
    expect((await stateOf(board)).unmatched).toMatchObject([{ copies: 1 }]);
  });

  it('knows who could read a message, and what else agents report', async () => {
    const message = await say('hello');
    const board = new Board();
    board.said(message, 'hello');
    board.reported({ kind: 'read', by: 'triage', message, text: 'hello' });
    board.reported({ kind: 'out', by: 'contractor', reason: 'removed' });
    const { entries, reports } = await stateOf(board);
    expect(entries).toMatchObject([{ kind: 'message', readBy: ['triage'] }]);
    expect(reports).toStrictEqual([{ kind: 'out', by: 'contractor', reason: 'removed' }]);
  });

  it('remembers with which keys members came and went', async () => {
    const board = new Board();
    board.isPresent([{ name: 'triage', online: true }], 1n);
    board.change('joined', ['triage']);
    board.isPresent([], 2n);
    board.change('left', ['triage']);
    expect(await stateOf(board)).toMatchObject({
      epoch: 2,
      members: [],
      entries: [
        { kind: 'joined', epoch: 1 },
        { kind: 'left', epoch: 2 },
      ],
    });
  });
});

describe('seenFrame', () => {
  it('tells source, destination and number of a message without a key', async () => {
    const { sessionId, source, messageId } = await say('x');
    const found = frames.map((frame) => seenFrame(frame));
    const message = found.find((frame) => frame?.messageType === 1);
    expect(message).toMatchObject({ sessionId, messageId });
    expect(String(message?.source)).toBe(source);
    expect(message?.destination.service).toBe(room);
  });

  it('passes over what is no Publish', () => {
    expect(seenFrame(Buffer.from('3200', 'hex'))).toBeUndefined();
  });
});
