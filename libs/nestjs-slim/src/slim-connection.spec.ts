import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';
import { SlimConnection } from './slim-connection.js';
import type { SlimStatus } from './slim-events.js';
import { Fabric } from './testing/spec-fabric.js';

describe('a connection', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const open = (): SlimConnection => {
    const connection = new SlimConnection(fabric.options('acme/tests/own'));
    fabric.endWith(() => connection.close());
    return connection;
  };

  it('connects once for all who ask, and not before', async () => {
    const connection = open();
    expect(fabric.network.counters.connections).toBe(0);
    expect(() => connection.app).toThrow(expect.objectContaining({ code: 'link-closed' }));
    const [a, b] = await Promise.all([connection.connect(), connection.connect()]);
    expect(a).toBe(b);
    expect(await connection.connect()).toBe(connection.app);
    expect(fabric.network.counters.connections).toBe(1);
  });

  it('does not remember a failure', async () => {
    const connection = open();
    fabric.network.goDown();
    const failure = { code: 'link-failed', message: 'the fabric is down' };
    const attempts = [connection.connect(), connection.connect()];
    for (const attempt of attempts) await expect(attempt).rejects.toMatchObject(failure);
    fabric.network.goUp();
    expect((await connection.connect()).name.service).toBe('acme/tests/own');
  });

  it('closed while it connects, fails those who wait and can connect again', async () => {
    const connection = open();
    const late = connection.connect();
    const closed = connection.close();
    const again = connection.connect();
    await expect(late).rejects.toMatchObject({ code: 'aborted' });
    await closed;
    expect(await again).toBe(connection.app);
  });

  it('tells its status, and each change once', async () => {
    const connection = open();
    const statuses: SlimStatus[] = [];
    const changes: unknown[] = [];
    connection.status.subscribe((status) => statuses.push(status));
    connection.on('status', (status, reason) => changes.push([status, reason?.code]));
    await connection.connect();
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    await connection.connect();
    expect(statuses).toStrictEqual(['disconnected', 'connected', 'disconnected', 'connected']);
    expect(changes.map(String)).toStrictEqual(['connected,', 'disconnected,', 'connected,']);
    expect(await firstValueFrom(connection.status)).toBe('connected');
  });

  it('keeps listeners and application through a lost link', async () => {
    const connection = open();
    const app = await connection.connect();
    const changes: unknown[] = [];
    const back = new Promise<void>((resolve) => {
      connection.on('status', (status, reason) => {
        changes.push([status, reason?.code]);
        if (status === 'connected') resolve();
      });
    });
    fabric.network.cut();
    await back;
    expect(changes).toStrictEqual([
      ['reconnecting', 'link-failed'],
      ['connected', undefined],
    ]);
    expect(await connection.connect()).toBe(app);
  });

  it('is idle again when somebody closes the application object', async () => {
    const connection = open();
    const app = await connection.connect();
    await app.close();
    expect(await firstValueFrom(connection.status)).toBe('disconnected');
    expect(await connection.connect()).not.toBe(app);
  });

  it('goes on when a listener throws', async () => {
    const connection = open();
    const log = jest.spyOn(Logger, 'error').mockImplementation(() => undefined);
    const after = jest.fn();
    connection.on('status', () => {
      throw new Error('a listener of the application');
    });
    connection.on('status', after);
    await connection.connect();
    expect(after).toHaveBeenCalledWith('connected', undefined);
    expect(String(log.mock.calls[0]?.[0])).toContain('a listener of the application');
  });

  it('refuses sessions before anybody serves', async () => {
    await open().connect();
    const peer = await fabric.peer();
    const opening = peer.openSession('acme/tests/own');
    await expect(opening).rejects.toMatchObject({ code: 'refused' });
  });

  it('has one server, and is found no more once that one stops', async () => {
    const connection = open();
    await connection.connect();
    const stop = connection.serve(() => undefined);
    expect(() => connection.serve(() => undefined)).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
    const peer = await fabric.peer();
    expect((await peer.openSession('acme/tests/own')).mls).toBe(true);
    stop();
    const opening = peer.openSession('acme/tests/own', { discoveryMs: 40 });
    await expect(opening).rejects.toMatchObject({ code: 'no-route' });
  });
});
