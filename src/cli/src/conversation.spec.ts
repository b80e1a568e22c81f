import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sharedSecret, type Channel } from '@nestjs-slim/core';
import { SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { invitedChannel } from './channel-entry.js';
import { converse } from './conversation.js';
import { Terminal } from './terminal.js';

const identity = sharedSecret({ secret: 'the-conversation-tests-share-this-secret' });

let node: SlimNode;
const apps: SlimApp[] = [];

beforeEach(async () => {
  node = await SlimNode.start();
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await node.close();
});

async function connect(name: string): Promise<SlimApp> {
  const app = await SlimApp.connect({ name, identity, node });
  apps.push(app);
  return app;
}

/** The terminal of somebody who types `keys` and sees `screen`. */
function desk() {
  const keys = new PassThrough();
  const output = new PassThrough();
  let screen = '';
  let wake = (): void => undefined;
  output.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    wake();
  });
  const shows = async (text: string): Promise<void> => {
    while (!screen.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
  };
  const terminal = new Terminal(new AbortController().signal, keys, output);
  const type = (line: string) => keys.write(`${line}\r`);
  return { terminal, shows, type, screen: () => screen };
}

/** Alice at her desk moderates a channel; Bob is a program that can be invited. */
async function setup() {
  const bob = await connect('acme/x/bob');
  const alice = await connect('acme/x/alice');
  const room = await alice.createChannel('acme/x/room', { mls: false, discoveryMs: 50 });
  const at = desk();
  return { bob, room, ...at };
}

async function text(channel: Channel | undefined): Promise<string | undefined> {
  const message = await channel?.next({ timeoutMs: 5_000 });
  return message && Buffer.from(message.payload).toString();
}

describe('converse', () => {
  it('obeys in order: who is invited hears what is said next', async () => {
    const { bob, room, terminal, type, shows } = await setup();
    const ended = converse(room, terminal);
    type('/invite acme/x/bob');
    type('hello bob');
    const atBob = await invitedChannel(bob);
    expect(await text(atBob)).toBe('hello bob');
    await atBob?.publish(Buffer.from('hello alice'));
    await shows('acme/x/bob: hello alice');
    type('/leave');
    await ended;
    await shows('* you closed acme/x/room');
  });

  it('begins with the invitations it is given, and survives those that fail', async () => {
    const { bob, room, terminal, type, shows, screen } = await setup();
    const ended = converse(room, terminal, ['acme/x/nobody', 'nonsense', 'acme/x/bob']);
    await shows('* acme/x/bob joined');
    expect(screen()).toContain('! no-route: nobody answers at "acme/x/nobody"');
    expect(screen()).toContain('! invalid-name: expected org/namespace/service, got "nonsense"');
    await invitedChannel(bob);
    type('/who');
    await shows('* acme/x/alice (you, moderator)\n* acme/x/bob\n');
    type('/leave');
    await ended;
  });

  it('names instances that share a name by their ids', async () => {
    const { bob, room, terminal, shows, screen } = await setup();
    const other = await connect('acme/x/bob');
    const ended = converse(room, terminal, [bob.name.toString(), other.name.toString()]);
    await shows(`* ${other.name.toString()} joined`);
    await (await invitedChannel(bob))?.publish(Buffer.from('which one?'));
    await shows(`${bob.name.toString()}: which one?`);
    expect(screen()).not.toContain('acme/x/bob: which one?');
    terminal.close();
    await ended;
  });

  it('ends when the channel does, and says how', async () => {
    const { bob, room } = await setup();
    const { terminal, shows } = desk();
    const [atBob] = await Promise.all([invitedChannel(bob), room.invite('acme/x/bob')]);
    if (!atBob) throw new Error('nobody invited bob');
    const ended = converse(atBob, terminal);
    await shows('* you are in acme/x/room as acme/x/bob');
    await room.close();
    await ended;
    await shows('closed the channel');
    expect(terminal.closed.aborted).toBe(true);
  });
});
