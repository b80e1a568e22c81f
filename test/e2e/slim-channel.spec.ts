import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { slim, SlimCommand, type Line } from '../support/slim-command.js';

// Every test starts several programs, which takes its time on a busy machine.
jest.setTimeout(60_000);

const secret = 'command-line-tests-share-this-secret';

let node: SlimCommand;
let common: readonly string[];

beforeAll(async () => {
  node = new SlimCommand('node', '--listen', '127.0.0.1:0');
  common = ['--node', String((await node.line('ready')).url), '--secret', secret];
});

afterAll(() => node.stop());

async function joining(name: string, ...words: readonly string[]): Promise<SlimCommand> {
  const command = new SlimCommand('channel', 'join', name, ...words, ...common);
  await command.line('ready');
  return command;
}

const texts = (lines: readonly Line[]): unknown[] =>
  lines.filter(({ event }) => event === 'message').map(({ text }) => text);

describe('slim channel', () => {
  it.each([['--mls'], ['--no-mls']])('lets members talk, %s', async (mls) => {
    const alice = await joining('acme/test/alice', '--message', 'alice here');
    const bob = await joining('acme/test/bob', '--message', 'bob here');
    const moderator = await slim(
      ...['channel', 'create', 'acme/test/room', mls, ...common],
      ...['--invite', 'acme/test/alice', '--invite', 'acme/test/bob'],
      ...['--message', 'one', '--message', 'two', '--expect', '2'],
      ...['--remove', 'acme/test/bob'],
    );
    const [atAlice, atBob] = await Promise.all([alice.finished(), bob.finished()]);
    expect(moderator.lines.at(-1)).toMatchObject({ event: 'closed', name: 'acme/test/room' });
    expect(texts(moderator.lines)).toHaveLength(2);
    expect(new Set(texts(moderator.lines))).toStrictEqual(new Set(['alice here', 'bob here']));
    expect(texts(atAlice.lines).filter((text) => text !== 'bob here')).toStrictEqual([
      'one',
      'two',
    ]);
    expect(texts(atBob.lines).filter((text) => text !== 'alice here')).toStrictEqual([
      'one',
      'two',
    ]);
    expect(moderator.lines.filter(({ event }) => event === 'joined')).toHaveLength(2);
    expect(moderator.lines.filter(({ event }) => event === 'left')).toHaveLength(1);
    for (const { lines, code } of [moderator, atAlice, atBob]) {
      expect(lines.at(-1)?.event).toBe('closed');
      expect(code).toBe(0);
    }
    expect(atAlice.lines[1]).toMatchObject({ event: 'joined', channel: 'acme/test/room' });
  });

  it.each([
    [['create', 'acme/test/room', '--invite', 'acme/test/nobody', '--timeout', '50'], 'no-route'],
    [['create', 'acme/room'], 'invalid-name'],
    [['dance', 'acme/test/room'], 'invalid-config'],
  ])('gives one error line for %p', async (words, code) => {
    const finished = await slim('channel', ...words, ...common);
    expect(finished.lines.at(-1)).toMatchObject({ event: 'error', code });
    expect(finished.code).toBe(1);
  });
});
