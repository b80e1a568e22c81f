import type { LinkStatus, NodeStatus } from '@nestjs-slim/node';
import { describe, expect, it } from '@jest/globals';
import { linksThatFit, topView } from './top-view.js';

const nowMs = 1_700_000_100_000;

function link(fields: Partial<LinkStatus> & Pick<LinkStatus, 'id'>): LinkStatus {
  const rates = {
    ...{ receivedFrames: 1_250, receivedBytes: 0, sentFrames: 0.5, sentBytes: 0, dropped: 0 },
  };
  return {
    ...{ remote: '10.0.0.1:5', linkId: 'x', kind: 'edge', direction: 'incoming' },
    ...{ state: 'established', peerNodeId: 'app-7', peerVersion: '2.3.0', isFull: false },
    ...{ sinceMs: nowMs - 185_000, subscriptions: 1, names: ['acme/billing/invoices'] },
    ...{ receivedFrames: 34_000, receivedBytes: 0, sentFrames: 12, sentBytes: 0, dropped: 3 },
    ...{ rates, ...fields },
  };
}

function status(links: readonly LinkStatus[]): NodeStatus {
  const dropped = { malformed: 0, 'header-mac': 0, ttl: 2, 'no-route': 1_500, 'too-large': 0 };
  const page = { total: links.length, found: links.length, from: 0 };
  return {
    node: { nodeId: 'node-a', version: '1', state: 'running', startedAtMs: nowMs - 42_000, nowMs },
    counters: {
      ...{ connections: links.length, subscriptions: 9, refused: 4 },
      ...{ received: 35_000, receivedBytes: 0, forwarded: 30_000, forwardedBytes: 0 },
      dropped: { ...dropped, duplicate: 0, overload: 0, limit: 0 },
    },
    traffic: { intervalMs: 1_000, received: [3, 1_250], forwarded: [1_200], dropped: [] },
    links: { ...page, items: links },
    routes: { ...page, total: 7, items: [], isPartial: false },
  };
}

describe('topView', () => {
  it('shows the node, its totals and a row for each link', () => {
    const view = topView(status([link({ id: 3 })]), { columns: 120, rows: 24 });
    expect(view).toStrictEqual([
      'slim top  node-a  running  up 42s',
      '1 links  9 subscriptions  7 routes  4 refused',
      'received 1.3k/s (35k)  forwarded 1.2k/s (30k)  dropped -/s (1.5k) ttl 2 no-route 1.5k',
      '',
      'LINK   KIND        OTHER END                   NAMES                         IN/s  OUT/s     IN    OUT  DROPPED      UP',
      '#3     edge in     app-7 10.0.0.1:5            acme/billing/invoices         1.3k    0.5    34k     12        3   3m05s',
      '',
    ]);
  });

  it('says of a link that it is new, or full, or has no rates yet', () => {
    const links = [
      link({ id: 1, state: 'negotiating', peerNodeId: undefined, subscriptions: 0, rates: null }),
      link({ id: 2, isFull: true, kind: 'peer', direction: 'outgoing' }),
    ];
    const [first, second] = topView(status(links), { columns: 120, rows: 24 }).slice(5);
    expect(first).toMatch(/^#1 +new +10\.0\.0\.1:5 +- +- +- +34k/);
    expect(second).toMatch(/^#2 +peer FULL +app-7/);
  });

  it('is as wide and as high as the screen, and says how much it leaves out', () => {
    const links = Array.from({ length: 50 }, (_, id) => link({ id, peerNodeId: 'x'.repeat(500) }));
    for (const size of [
      { columns: 80, rows: 24 },
      { columns: 200, rows: 10 },
    ]) {
      const view = topView(status(links), size);
      expect(view.length).toBeLessThanOrEqual(size.rows);
      expect(Math.max(...view.map((line) => Array.from(line).length))).toBeLessThanOrEqual(
        size.columns,
      );
      expect(view.at(-1)).toBe(`… and ${50 - linksThatFit(size)} more`);
    }
  });

  it('lets no stranger steer the terminal', () => {
    const name = 'a\u001b[2Jb\u0007\n\u202ec';
    const strange = link({ id: 1, peerNodeId: name, remote: name, names: [name] });
    const text = topView(status([strange]), { columns: 120, rows: 24 }).join('');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('a\u{fffd}[2Jb');
  });

  it('says when there is nothing, and what is wrong', () => {
    const view = topView(status([]), { columns: 80, rows: 24 }, '! link-failed: no answer');
    expect(view[3]).toBe('! link-failed: no answer');
    expect(view.at(-1)).toBe('no links yet');
  });
});
