import { expect } from '@jest/globals';
import type { SlimClient, SlimClientOptions } from 'nestjs-slim';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome, Signal } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { ourNetworks } from './networks.js';
import type { Stage } from './stage.js';
import { SumsController } from './sums.controller.js';
import type { Wire } from './wire.js';

const numbers = [1, 2, 3];
const refused = (): Promise<never> => Promise.reject(new Error('not today'));

interface Played {
  readonly wire: Wire;
  readonly client: SlimClient;
  /** Every change of the client's status. */
  readonly changes: Log;
}

async function setup(stage: Stage, extra: Partial<SlimClientOptions> = {}): Promise<Played> {
  await stage.serve({ controllers: [SumsController] });
  const wire = stage.wire();
  const client = stage.client({ node: wire, ...extra });
  const changes = new Log();
  client.on('status', (status) => changes.add(status));
  return { wire, client, changes };
}

const streams = async (client: SlimClient): Promise<void> => {
  const answer = await outcome(client.send('streaming', numbers));
  expect(answer).toStrictEqual({ values: numbers });
};

/** Has the first dial wait until it is released, and fail then. */
function holdFirstDial(wire: Wire): {
  readonly dialled: Promise<void>;
  readonly release: () => void;
} {
  const dialled = new Signal();
  const released = new Signal();
  wire.beforeDial = async () => {
    if (wire.dials > 1) return;
    dialled.fire();
    await released.fired;
    throw new Error('too late');
  };
  return { dialled: dialled.fired, release: () => released.fire() };
}

acceptance('Reconnect', ourNetworks, {
  'a connected client that is closed and reconnected streams over the new connection': async (
    stage,
  ) => {
    const { wire, client } = await setup(stage);
    await client.connect();
    const closed = client.close();
    await Promise.all([streams(client), closed]);
    await streams(client);
    expect(wire.dials).toBe(2);
  },

  'a connecting client that is closed and reconnected streams over the new connection': async (
    stage,
  ) => {
    const { client } = await setup(stage);
    const connecting = outcome(client.send('sum', numbers));
    const closed = client.close();
    await Promise.all([streams(client), closed]);
    expect((await connecting).failed?.with).toMatchObject({ code: 'aborted' });
  },

  'late close of the old connection changes nothing': async (stage) => {
    const { wire, client, changes } = await setup(stage);
    await client.connect();
    wire.lateEnds = [];
    await client.close();
    await streams(client);
    expect(wire.lateEnds).toHaveLength(1);
    for (const tell of wire.lateEnds) tell();
    await streams(client);
    expect(changes.lines).toStrictEqual(['connected', 'disconnected', 'connected']);
  },

  'no third connection is opened': async (stage) => {
    const { wire, client } = await setup(stage);
    await client.connect();
    await client.close();
    await Promise.all([streams(client), streams(client), client.connect()]);
    await streams(client);
    expect(wire).toMatchObject({ dials: 2, open: 1 });
  },

  'retry after a failed connect': async (stage) => {
    const { wire, client } = await setup(stage);
    const { beforeDial } = wire;
    wire.beforeDial = refused;
    const { failed } = await outcome(client.send('sum', numbers));
    expect(failed?.with).toMatchObject({ code: 'link-failed' });
    wire.beforeDial = beforeDial;
    await streams(client);
  },

  'a stale failing attempt does not reset a newer connection': async (stage) => {
    const { wire, client, changes } = await setup(stage);
    const { dialled, release } = holdFirstDial(wire);
    const stale = outcome(client.send('sum', numbers));
    await dialled;
    const closed = client.close();
    const newer = streams(client);
    release();
    await Promise.all([closed, newer]);
    expect((await stale).failed).toBeDefined();
    await streams(client);
    expect(wire).toMatchObject({ dials: 2, open: 1 });
    expect(changes.lines.at(-1)).toBe('connected');
  },

  'events of a replaced connection are ignored': async (stage) => {
    const { wire, client, changes } = await setup(stage);
    await client.connect();
    wire.lateEnds = [];
    wire.cut();
    await client.close();
    await client.connect();
    changes.clear();
    for (const tell of wire.lateEnds.splice(0)) tell();
    await streams(client);
    expect(changes.lines).toStrictEqual([]);
    expect(wire).toMatchObject({ dials: 2, open: 1 });
  },

  'listeners registered with on survive reconnects': async (stage) => {
    const { wire, client, changes } = await setup(stage);
    await client.connect();
    changes.clear();
    wire.cut();
    await changes.has('reconnecting', 'connected');
    await client.close();
    changes.clear();
    await streams(client);
    expect(changes.lines).toStrictEqual(['connected']);
  },

  'recovers however long the node was away': async (stage) => {
    const { wire, client, changes } = await setup(stage);
    await client.connect();
    changes.clear();
    wire.beforeDial = () => (wire.dials < 12 ? refused() : Promise.resolve());
    wire.cut();
    await changes.has('connected');
    expect(wire.dials).toBe(12);
    await streams(client);
  },
});
