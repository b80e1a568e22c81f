import { openSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { SlimError, type Channel, type SlimApp as App } from '@nestjs-slim/core';
import { SlimApp, sqliteStore } from '@nestjs-slim/platform-node';
import { backoff, dialler, memberIdentity, type Keys } from './identities.js';
import { serve } from './serve.js';

// A member of the channel that is killed and started again, and a reader that is stopped at times. What it
// receives is in its file at once, so that a killed one tells, too.

interface Start {
  readonly nodes: readonly string[];
  readonly keys: Keys;
  readonly file: string;
  /** Where it keeps its membership across restarts. */
  readonly store: string;
  /** Names this start in its file and in what it publishes. */
  readonly label: string;
}

const publishPauseMs = 300;
const apps: App[] = [];
let isOver = false;

async function start({ nodes, keys, label, file: path, store }: Start): Promise<object> {
  const file = openSync(path, 'a');
  const record = (line: string): unknown => writeSync(file, `${line}\n`);
  const connect = (service: string, kept: object): Promise<App> =>
    SlimApp.connect({
      name: `soak/ops/${service}`,
      identity: memberIdentity(keys),
      node: nodes.map((url) => dialler(url, keys)),
      backoff,
      ...kept,
    });
  const sink = await connect('sink', {});
  const member = await connect('guest', { store: sqliteStore({ path: store }) });
  apps.push(sink, member);
  void readAll(sink);
  let memberships = 0;
  const enter = (channel: Channel, how: 'joined' | 'restored'): void => {
    const name = `${label}-${(memberships += 1)}`;
    record(`${how} ${name} ${channel.epoch}`);
    channel.onLost((id) => record(`lost ${name} ${id} ${Date.now()}`));
    void read(channel, name, record);
    void publish(channel, name);
  };
  const enterAll = async (): Promise<void> => {
    for await (const channel of member.sessions()) {
      if (channel.kind === 'channel') enter(channel, 'joined');
    }
  };
  const restored = member.restored.filter((session) => session.kind === 'channel');
  for (const channel of restored) enter(channel, 'restored');
  void enterAll();
  return { restored: restored.length };
}

async function readAll(app: App): Promise<void> {
  for await (const session of app.sessions()) void count(session);
}

/** What comes is not looked at; a session may end as it likes. */
async function count(messages: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const each of messages) void each;
  } catch (reason) {
    if (!(reason instanceof SlimError)) throw reason;
  }
}

async function read(
  channel: Channel,
  name: string,
  record: (line: string) => unknown,
): Promise<void> {
  for await (const { payload } of channel) {
    record(`got ${name} ${new TextDecoder().decode(payload)}`);
  }
  record(`left ${name}`);
}

async function publish(channel: Channel, name: string): Promise<void> {
  let isIn = true;
  void channel.ended.then(() => (isIn = false));
  for (let number = 1; isIn && !isOver; number += 1) {
    await setTimeout(publishPauseMs);
    await channel
      .publish(new TextEncoder().encode(`${name} ${number}`))
      .catch((reason: unknown) => {
        // Whatever else it is, it ends the process, which the soak notices.
        if (!(reason instanceof SlimError)) throw reason;
      });
  }
}

const quiet = (): void => {
  isOver = true;
};

serve({ start, quiet }, async () => {
  isOver = true;
  for (const app of apps) await app.close();
});
