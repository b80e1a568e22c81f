import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { slim, SlimCommand } from '../support/slim-command.js';
import { SlimTerminal, type TerminalOptions } from '../support/slim-terminal.js';

// Every test starts several programs; a step that does not come fails sooner, with the screen.
jest.setTimeout(60_000);

const secret = 'command-line-tests-share-this-secret';
const channel = 'acme/test/room';
const ctrlC = '\u0003';
const ctrlD = '\u0004';
const arrowLeft = '\u001b[D';

let node: SlimCommand;
let common: readonly string[];
const terminals: SlimTerminal[] = [];

beforeAll(async () => {
  node = new SlimCommand('node', '--listen', '127.0.0.1:0');
  common = ['--node', String((await node.line('ready')).url), '--secret', secret];
});

afterEach(async () => {
  await Promise.all(terminals.splice(0).map((terminal) => terminal.hangUp()));
});

afterAll(() => node.stop());

function open(words: readonly string[], options?: TerminalOptions): SlimTerminal {
  const terminal = new SlimTerminal(['channel', ...words, ...common], options);
  terminals.push(terminal);
  return terminal;
}

/** Alice moderates a channel that Bob is in. */
async function pair(options?: TerminalOptions) {
  const bob = open(['join', 'acme/test/bob'], options);
  await bob.shows('* waiting to be invited as acme/test/bob', '>');
  const words = ['create', channel, '--name', 'acme/test/alice', '--invite', 'acme/test/bob'];
  const alice = open(words, options);
  await alice.shows('* acme/test/bob joined', '>');
  return { alice, bob };
}

describe('slim channel at a terminal', () => {
  it('lets two people talk', async () => {
    const { alice, bob } = await pair();
    await alice.shows(
      '* you are in acme/test/room as acme/test/alice',
      '* type to talk, /help to see more',
    );
    await bob.shows(
      '* you are in acme/test/room as acme/test/bob',
      '* type to talk, /help to see more',
      '>',
    );
    bob.enter('hello alice');
    await alice.shows('acme/test/bob: hello alice', '>');
    alice.enter('grüße, bob');
    await bob.shows('> hello alice', 'acme/test/alice: grüße, bob', '>');
    bob.enter('//who are you');
    await alice.shows('> grüße, bob', 'acme/test/bob: /who are you', '>');
    expect(alice.rows).not.toContain('acme/test/alice: grüße, bob');
  });

  it('obeys /invite, /who and /remove of the moderator', async () => {
    const bob = open(['join', 'acme/test/bob']);
    await bob.shows('* waiting to be invited as acme/test/bob', '>');
    const alice = open(['create', channel, '--name', 'acme/test/alice']);
    await alice.shows('* type to talk, /help to see more', '>');
    alice.enter('/invite acme/test/bob');
    await alice.shows('> /invite acme/test/bob', '* acme/test/bob joined', '>');
    await bob.shows('* type to talk, /help to see more', '>');
    bob.enter('/who');
    await bob.shows('* acme/test/alice (moderator)', '* acme/test/bob (you)', '>');
    alice.enter('/remove acme/test/bob');
    await alice.shows('> /remove acme/test/bob', '* acme/test/bob left', '>');
    expect(await bob.exitCode()).toBe(0);
    expect(bob.rows.at(-1)).toMatch(/^\* acme\/test\/alice\/[0-9a-f-]{36} removed this member$/);
    alice.enter('/who');
    await alice.shows('> /who', '* acme/test/alice (you, moderator)', '>');
  });

  it('says what is wrong and goes on', async () => {
    const { alice, bob } = await pair();
    alice.enter('/dance');
    await alice.shows('> /dance', '! there is no /dance; /help shows what there is', '>');
    alice.enter('/invite');
    await alice.shows('! /invite takes one NAME: org/namespace/service', '>');
    alice.enter('/invite acme/test/nobody');
    await alice.shows('! no-route: nobody answers at "acme/test/nobody" (asked for 2000 ms)', '>');
    alice.enter('/remove acme/test/nobody');
    await alice.shows('! not-a-member: "acme/test/nobody" is not in the channel', '>');
    bob.enter('/invite acme/test/carol');
    await bob.shows('! not-moderator: only the moderator invites', '>');
    alice.enter('/help');
    await alice.shows('anything else is said to everybody', '>');
    alice.enter('still here');
    await bob.shows('acme/test/alice: still here', '>');
    expect(alice.rows.at(-1)).toBe('>');
  });

  it('leaves a half typed line as it is, on a narrow terminal too', async () => {
    const { alice, bob } = await pair({ columns: 42 });
    const typed = ['> what bob is about to say takes more than', ' one row'];
    await bob.shows('* type to talk, /help to see more', '>');
    bob.press('what bob is about to say takes more than one row');
    await bob.shows(...typed);
    alice.enter('one moment');
    await bob.shows('acme/test/alice: one moment', ...typed);
    alice.enter('go on');
    await bob.shows(
      '* type to talk, /help to see more',
      'acme/test/alice: one moment',
      'acme/test/alice: go on',
      ...typed,
    );
    bob.press(arrowLeft.repeat('row'.length));
    bob.enter('long ');
    await alice.shows(
      '> go on',
      'acme/test/bob: what bob is about to say ta',
      'kes more than one long row',
      '>',
    );
    expect(alice.rows.filter((row) => row.startsWith('acme/test/bob:'))).toHaveLength(1);
  });

  it('shows control characters of a message instead of obeying them, and uses no colours', async () => {
    const { alice, bob } = await pair({ env: { NO_COLOR: '1' } });
    const said = '\u001b[2Jgone\n* acme/test/eve joined';
    const eve = new SlimCommand('channel', 'join', 'acme/test/eve', '--message', said, ...common);
    await eve.line('ready');
    alice.enter('/invite acme/test/eve');
    await bob.shows('acme/test/eve: \u{fffd}[2Jgone', '  * acme/test/eve joined', '>');
    await eve.stop();
    expect(bob.output).not.toMatch(/\[[\d;]*m/); // the sequences that choose colours
  });

  it.each([
    ['/leave', (terminal: SlimTerminal) => terminal.enter('/leave')],
    ['Ctrl-C', (terminal: SlimTerminal) => terminal.press(ctrlC)],
    ['Ctrl-C in a half typed line', (terminal: SlimTerminal) => terminal.press(`half${ctrlC}`)],
    ['Ctrl-D', (terminal: SlimTerminal) => terminal.press(ctrlD)],
    ['SIGTERM', (terminal: SlimTerminal) => terminal.terminate()],
    ['a closed window', (terminal: SlimTerminal) => void terminal.hangUp()],
  ])('leaves in order by %s', async (_, leave) => {
    const { alice, bob } = await pair();
    await bob.shows('* type to talk, /help to see more', '>');
    leave(bob);
    expect(await bob.exitCode()).toBe(0);
    await alice.shows('* acme/test/bob left', '>');
    expect(bob.rows.at(-1)).toBe('* you left acme/test/room');
  });

  it('closes the channel for all when the moderator leaves', async () => {
    const { alice, bob } = await pair();
    alice.press(ctrlD);
    expect(await alice.exitCode()).toBe(0);
    expect(alice.rows.at(-1)).toBe('* you closed acme/test/room');
    expect(await bob.exitCode()).toBe(0);
    expect(bob.rows.at(-1)).toMatch(/^\* acme\/test\/alice\/[0-9a-f-]{36} closed the channel$/);
  });

  it('tells who waits for an invitation that nobody hears yet, and lets them go', async () => {
    const bob = open(['join', 'acme/test/bob']);
    await bob.shows('* waiting to be invited as acme/test/bob', '>');
    bob.enter('hello?');
    await bob.shows('> hello?', '! nobody hears you before you are in a channel', '>');
    bob.press(ctrlC);
    expect(await bob.exitCode()).toBe(0);
  });

  it('asks for what it is not told', async () => {
    const alice = open([]);
    await alice.shows('create or join >');
    alice.enter('perhaps');
    await alice.shows('! expected create or join, got "perhaps"', 'create or join >');
    alice.enter('create');
    await alice.shows('* a name for the channel: org/namespace/service', 'name >');
    alice.enter('room');
    await alice.shows('! invalid-name: expected org/namespace/service, got "room"', 'name >');
    alice.enter(channel);
    await alice.shows('* you are in acme/test/room as slim/cli/moderator');
    const bob = open(['acme/test/bob']);
    await bob.shows('create or join >');
    bob.enter('join');
    await bob.shows('* waiting to be invited as acme/test/bob', '>');
    expect(bob.rows.at(-1)).toBe('>');
  });

  it('ends with code 1 when there is no node', async () => {
    const words = ['create', channel, '--node', 'http://127.0.0.1:1', '--secret', secret];
    const alice = new SlimTerminal(['channel', ...words]);
    expect(await alice.exitCode()).toBe(1);
    expect(alice.rows.at(-1)).toContain('! link-failed: http://127.0.0.1:1');
  });
});

describe('slim channel without a terminal', () => {
  it('explains itself when nothing is asked for', async () => {
    const { lines, log, code } = await slim('channel', ...common);
    expect(lines).toStrictEqual([
      { event: 'error', code: 'invalid-config', message: 'expected create or join, got neither' },
    ]);
    expect(log).toContain('slim channel create NAME');
    expect(code).toBe(2);
  });

  it('explains itself when asked to', async () => {
    const { lines, log, code } = await slim('channel', '--help');
    expect(lines).toStrictEqual([]);
    expect(log).toContain('/invite NAME');
    expect(code).toBe(0);
  });
});
