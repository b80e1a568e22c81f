import { SlimError } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { describe, expect, it } from '@jest/globals';
import { createLog } from './log.js';
import { NodeLog } from './node-log.js';
import { FakeNode, fakeLink } from './testing/fake-node.js';

function setup() {
  const clock = new ManualClock();
  const node = new FakeNode();
  const written: string[] = [];
  const log = createLog({
    level: 'trace',
    destination: { write: (line) => void written.push(line) },
  });
  const nodeLog = new NodeLog(log, clock);
  const lines = () => written.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { clock, node, nodeLog, lines, written };
}

describe('NodeLog', () => {
  it('writes the life of the node', () => {
    const { node, nodeLog, lines } = setup();
    node.count({ received: 7, forwarded: 5, refused: 1 }, { ttl: 2 });
    nodeLog.configWarning('services.slim/0.dataplane', 'is ignored');
    nodeLog.started({ nodeId: 'node-a', urls: ['http://127.0.0.1:1'] });
    nodeLog.draining(10_000);
    nodeLog.stopped(node.snapshot());
    expect(lines()).toMatchObject([
      { level: 'warn', event: 'config-warning', path: 'services.slim/0.dataplane' },
      { level: 'info', event: 'started', nodeId: 'node-a', urls: ['http://127.0.0.1:1'] },
      { level: 'info', event: 'draining', deadlineMs: 10_000 },
      { event: 'stopped', received: 7, forwarded: 5, refused: 1, dropped: { ttl: 2 } },
    ]);
  });

  it('writes of a link where it goes, who is there, and why it ended', () => {
    const { clock, node, nodeLog, lines } = setup();
    nodeLog.watch(node);
    const link = fakeLink({ id: 3, kind: 'peer', sinceMs: clock.now(), receivedFrames: 9 });
    node.emit('link', { kind: 'established', link });
    clock.advance(500);
    node.emit('link', { kind: 'closed', link, reason: undefined });
    const reason = new SlimError('link-failed', 'the other end is silent');
    node.emit('link', { kind: 'closed', link, reason });
    const who = { link: 3, kind: 'peer', remote: '127.0.0.1:50003', peerNodeId: 'peer-3' };
    expect(lines()).toMatchObject([
      { level: 'info', event: 'link-established', ...who },
      { level: 'info', event: 'link-closed', ...who, lifetimeMs: 500, receivedFrames: 9 },
      { level: 'warn', event: 'link-closed', code: 'link-failed', reason: reason.message },
    ]);
  });

  it('tells wrong credentials from other refusals', () => {
    const { node, nodeLog, lines } = setup();
    nodeLog.watch(node);
    node.emit('refused', { remote: 'a', reason: new SlimError('identity-rejected', 'wrong') });
    nodeLog.refused({ remote: 'b', reason: new SlimError('refused', 'too many links') });
    expect(lines()).toMatchObject([
      { level: 'warn', event: 'authentication-refused', remote: 'a', code: 'identity-rejected' },
      { level: 'warn', event: 'link-refused', remote: 'b', reason: 'too many links' },
    ]);
  });

  it('sums up drops by reason, and names the links with most of them', () => {
    const { clock, node, nodeLog, lines } = setup();
    nodeLog.watch(node);
    node.links = [fakeLink({ id: 1, dropped: 40 }), fakeLink({ id: 2 })];
    node.count({}, { 'no-route': 30, ttl: 10 });
    clock.advance(10_000);
    clock.advance(10_000);
    node.count({}, { ttl: 11 });
    nodeLog.close();
    expect(lines()).toMatchObject([
      {
        event: 'dropped',
        dropped: { 'no-route': 30, ttl: 10 },
        overMs: 10_000,
        links: [{ link: 1, remote: '127.0.0.1:50001', dropped: 40 }],
      },
      { event: 'dropped', dropped: { ttl: 1 }, links: [] },
    ]);
  });

  it('is not filled by somebody who comes again and again', () => {
    const { clock, node, nodeLog, lines } = setup();
    nodeLog.watch(node);
    const reason = new SlimError('identity-rejected', 'wrong');
    for (let count = 0; count < 1_000; count += 1) node.emit('refused', { remote: 'a', reason });
    clock.advance(10_000);
    expect(lines()).toHaveLength(21);
    expect(lines().at(-1)).toMatchObject({ event: 'lines-left-out', of: 'refused', count: 980 });
  });

  it('stops watching when it is closed, twice', () => {
    const { clock, node, nodeLog, lines } = setup();
    nodeLog.watch(node);
    nodeLog.close();
    nodeLog.close();
    expect([node.listeners, clock.pending, lines().length]).toStrictEqual([0, 0, 0]);
  });

  it('writes no secret, wherever one comes from', () => {
    const { clock, node, nodeLog, written } = setup();
    nodeLog.watch(node);
    const secret = 'top-secret-0815';
    const jwt = `eyJhbGciOiJub25lIn0.eyJ4IjoiMSJ9.${secret}`;
    const cause = new Error(secret);
    const message = `Bearer ${secret} and https://me:${secret}@host and ${jwt}`;
    const reason = new SlimError('identity-rejected', message, { cause });
    const more = {
      token: secret,
      authorization: secret,
      payload: new TextEncoder().encode(secret),
    };
    const fields = {
      id: 1,
      remote: `ws://h/?token=${secret}`,
      peerNodeId: jwt,
      linkId: jwt,
      ...more,
    };
    const link = fakeLink(fields);
    node.emit('link', { kind: 'established', link });
    node.emit('link', { kind: 'closed', link, reason });
    node.emit('refused', { remote: `//me:${secret}@host`, reason, ...more });
    node.links = [{ ...link, dropped: 3 }];
    node.count({}, { ttl: 3 });
    clock.advance(10_000);
    nodeLog.configWarning(`clients[0].endpoint`, message);
    nodeLog.started({ nodeId: jwt, urls: [`http://me:${secret}@host`], ...more });
    nodeLog.stopped({ ...node.snapshot(), ...more });
    nodeLog.close();
    expect(written).toHaveLength(7);
    expect(written.join('')).not.toContain(secret);
    expect(written.join('')).not.toContain('payload');
  });
});
