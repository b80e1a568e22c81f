import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadNameHash } from '../names/name-hash.js';
import { nameId, nullId } from '../names/name-id.js';
import { wireNameOf } from '../testing/frames.js';
import type { WireName } from '../wire/wire-name.js';
import { categories, type ConnectionId } from './categories.js';
import { routeId, SubscriptionTable } from './subscription-table.js';

beforeAll(loadNameHash);

const connection = (id: number) => id as ConnectionId;
const sorted = (ids: readonly ConnectionId[]) => ids.toSorted((one, other) => one - other);
const [a, b, c, d] = [connection(1), connection(2), connection(3), connection(4)];
/** A connection that subscribes nothing. */
const sender = connection(99);

function setup() {
  const table = new SubscriptionTable();
  const any = wireNameOf('org/ns/agent');
  const [x, y] = [any.withId(nameId(10n)), any.withId(nameId(20n))];
  /** Who gets so many messages to one receiver, in turn. */
  const turns = (name: WireName, count: number, from = sender) =>
    Array.from({ length: count }, () => table.selectOne(name, from));
  const all = (name: WireName, from = sender) => sorted(table.selectAll(name, from));
  return { table, any, x, y, turns, all };
}

describe('matching', () => {
  it.each([
    { subscribed: 'NULL', published: 'NULL', matches: true },
    { subscribed: 'NULL', published: 'X', matches: false },
    { subscribed: 'X', published: 'NULL', matches: true },
    { subscribed: 'X', published: 'X', matches: true },
    { subscribed: 'Y', published: 'NULL', matches: true },
    { subscribed: 'Y', published: 'X', matches: false },
  ] as const)('a publish to $published of a subscription to $subscribed: $matches', (row) => {
    const { table, any, x, y, turns, all } = setup();
    const names = { NULL: any, X: x, Y: y };
    table.add(names[row.subscribed], a, 'edge', 1n);
    expect(turns(names[row.published], 1)).toStrictEqual([row.matches ? a : undefined]);
    expect(all(names[row.published])).toStrictEqual(row.matches ? [a] : []);
  });

  it('compares hashes and id, not strings', () => {
    const { table, x, all } = setup();
    table.add(x, a, 'edge', 1n);
    expect(all(wireNameOf('org/ns/Agent').withId(nameId(10n)))).toStrictEqual([]);
    expect(all(wireNameOf('org/ns/other').withId(nullId))).toStrictEqual([]);
  });
});

describe('one receiver', () => {
  it('is each of several in turn', () => {
    const { table, x, turns } = setup();
    for (const [index, one] of [a, b, c].entries()) table.add(x, one, 'edge', BigInt(index + 1));
    expect(turns(x, 7)).toStrictEqual([a, b, c, a, b, c, a]);
  });

  it('is each of all instances in turn for a message to any of them', () => {
    const { table, any, x, y, turns } = setup();
    table.add(x, a, 'edge', 1n);
    table.add(y, b, 'edge', 2n);
    expect(turns(any, 4)).toStrictEqual([a, b, a, b]);
  });

  it('is never the sender, also when nobody else is there', () => {
    const { table, x, turns } = setup();
    table.add(x, a, 'edge', 1n);
    expect(turns(x, 2, a)).toStrictEqual([undefined, undefined]);
    table.add(x, b, 'edge', 2n);
    expect(turns(x, 3, a)).toStrictEqual([b, b, b]);
  });

  it('is of the first category that has one: local, remote, peer, edge', () => {
    const { table, x, turns } = setup();
    const order = [a, b, c, d];
    for (const [index, category] of categories.entries()) {
      const id = order[index];
      if (id !== undefined) table.add(x, id, category, BigInt(index + 1));
    }
    const found = order.map((id) => {
      const [first] = turns(x, 1);
      table.removeConnection(id);
      return first;
    });
    expect(found).toStrictEqual([a, b, c, d]);
  });

  it('is looked for in the next category when the sender is alone in the first', () => {
    const { table, x, turns } = setup();
    table.add(x, a, 'local', 1n);
    table.add(x, b, 'edge', 2n);
    expect(turns(x, 1, a)).toStrictEqual([b]);
  });

  it('keeps its turn when another one leaves', () => {
    const { table, x, turns } = setup();
    for (const [index, one] of [a, b, c].entries()) table.add(x, one, 'edge', BigInt(index + 1));
    expect(turns(x, 2)).toStrictEqual([a, b]);
    table.removeConnection(a);
    expect(turns(x, 3)).toStrictEqual([c, b, c]);
  });
});

describe('all receivers', () => {
  it('are those of every category, each once, without the sender', () => {
    const { table, any, x, y, all } = setup();
    table.add(x, a, 'local', 1n);
    table.add(x, b, 'edge', 2n);
    table.add(y, b, 'edge', 3n);
    table.add(any, c, 'peer', 4n);
    expect(all(any)).toStrictEqual([a, b, c]);
    expect(all(any, b)).toStrictEqual([a, c]);
    expect(all(x)).toStrictEqual([a, b]);
  });
});

describe('a subscription', () => {
  it('is counted by its ids and ends with the last of them', () => {
    const { table, x, all } = setup();
    expect(table.add(x, a, 'edge', 1n)).toBe(true);
    expect(table.add(x, a, 'edge', 2n)).toBe(true);
    expect(table.add(x, a, 'edge', 2n)).toBe(false);
    expect(table.size).toBe(1);
    table.remove(x, a, 1n);
    expect(all(x)).toStrictEqual([a]);
    table.remove(x, a, 2n);
    expect(all(x)).toStrictEqual([]);
    expect(table.size).toBe(0);
  });

  it('of two clients under the same id is that of both', () => {
    const { table, x, all } = setup();
    table.add(x, a, 'edge', 7n);
    table.add(x, b, 'edge', 7n);
    expect(table.size).toBe(2);
    table.remove(x, a, 7n);
    expect(all(x)).toStrictEqual([b]);
  });

  it.each([0n, 5n])('of the owner of a node is not taken back by a frame, id %d', (id) => {
    const { table, x, all } = setup();
    table.add(x, a, 'edge', routeId);
    expect(() => table.remove(x, a, id)).toThrow(`subscription id not found: ${id}`);
    expect(() => table.remove(x, a, id, true)).toThrow(`subscription id not found: ${id}`);
    table.add(x, a, 'edge', 6n);
    table.remove(x, a, id);
    expect(() => table.remove(x, a, id)).toThrow(`subscription id not found: ${id}`);
    expect(all(x)).toStrictEqual([a]);
    table.removeConnection(a);
    expect(all(x)).toStrictEqual([]);
  });

  it('can be taken back without its id, which a client forgets when it reconnects', () => {
    const { table, x, all } = setup();
    table.add(x, a, 'edge', 0n);
    table.remove(x, a, 5n);
    expect(all(x)).toStrictEqual([]);
    table.add(x, a, 'edge', 6n);
    table.remove(x, a, 5n);
    expect(all(x)).toStrictEqual([]);
  });

  it('is not guessed at when several ids could be meant', () => {
    const { table, x, all } = setup();
    table.add(x, a, 'edge', 1n);
    table.add(x, a, 'edge', 2n);
    expect(() => table.remove(x, a, 3n)).toThrow('subscription id not found: 3');
    expect(all(x)).toStrictEqual([a]);
  });

  it('of another id of the same name stays when one goes', () => {
    const { table, any, x, y, turns } = setup();
    table.add(x, a, 'edge', 1n);
    table.add(y, a, 'edge', 2n);
    table.remove(x, a, 1n);
    expect(turns(x, 1)).toStrictEqual([undefined]);
    expect(turns(any, 1)).toStrictEqual([a]);
  });
});

describe('taking back what is not there', () => {
  it.each([
    { what: 'another name', error: 'subscription not found' },
    { what: 'NULL', error: 'id not found: NULL_COMPONENT' },
    { what: 'y', error: 'id not found: 00000000-0000-0000-0000-000000000014' },
  ] as const)('of $what is answered like the official node does', ({ what, error }) => {
    const { table, any, x, y } = setup();
    table.add(x, a, 'edge', 1n);
    const names = { 'another name': wireNameOf('org/ns/other'), NULL: any, y };
    expect(() => table.remove(names[what], a, 1n)).toThrow(
      expect.objectContaining({ code: 'no-route', message: error }),
    );
  });

  it('takes nothing from another client, whose id it names', () => {
    const { table, x, all } = setup();
    table.add(x, a, 'edge', 1n);
    expect(() => table.remove(x, b, 1n)).toThrow('subscription id not found: 1');
    expect(all(x)).toStrictEqual([a]);
  });
});

describe('a connection that ends', () => {
  it('takes all its subscriptions along, those under id 0 too, and no others', () => {
    const { table, any, x, y, all } = setup();
    table.add(x, a, 'edge', 0n);
    table.add(y, a, 'edge', 0n);
    table.add(any, a, 'edge', 0n);
    table.add(y, b, 'edge', 0n);
    table.removeConnection(a);
    expect([all(x), all(y), all(any)]).toStrictEqual([[], [b], [b]]);
    expect(table.size).toBe(1);
  });

  it('takes as long for a name whether ten or sixty thousand share their first parts', async () => {
    const { table, any, all } = setup();
    const { prefix } = any;
    const names = Array.from({ length: 60_000 }, (_, id) => ({ prefix, id: nameId(BigInt(id)) }));
    for (const name of names) table.add(name, a, 'edge', 1n);
    // Where it looks through the others for each of them, this takes longer than a test may.
    table.removeConnection(a);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(table.size).toBe(0);
    expect(all(any)).toStrictEqual([]);
  });

  it('may be one that subscribed nothing', () => {
    const { table } = setup();
    table.removeConnection(a);
    expect(table.size).toBe(0);
  });
});

describe('SubscriptionTable', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'remove', 'end'),
    connection: fc.constantFrom(a, b, c),
    name: fc.constantFrom('any', 'x', 'y'),
    id: fc.constantFrom(1n, 2n, 3n),
  } as const);
  type Step = { connection: ConnectionId; name: 'any' | 'x' | 'y'; id: bigint };
  /** Two share a category, so that there is a turn to keep. */
  const categoryOf = (one: ConnectionId) => (one === c ? 'local' : 'edge');

  /** The same rules without an index: a list of (connection, name, id). */
  it('selects whom a plain list of subscriptions would select', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { table, turns, all, ...names } = setup();
        let list: Step[] = [];
        for (const { kind, connection: from, name, id } of steps) {
          const isSame = (entry: Step) => entry.connection === from && entry.name === name;
          const isKnown = list.some((entry) => isSame(entry) && entry.id === id);
          if (kind === 'end') {
            table.removeConnection(from);
            list = list.filter((entry) => entry.connection !== from);
          } else if (kind === 'add') {
            expect(table.add(names[name], from, categoryOf(from), id)).toBe(!isKnown);
            if (!isKnown) list.push({ connection: from, name, id });
          } else if (isKnown) {
            table.remove(names[name], from, id);
            list = list.filter((entry) => !(isSame(entry) && entry.id === id));
          }
        }
        for (const name of ['any', 'x', 'y'] as const) {
          const matching = list.filter((entry) => name === 'any' || entry.name === name);
          for (const from of [sender, a, c]) {
            const others = new Set(matching.map((entry) => entry.connection));
            others.delete(from);
            expect(all(names[name], from)).toStrictEqual(sorted([...others]));
            const near = [...others].filter((one) => categoryOf(one) === 'local');
            const nearest = near.length > 0 ? near : [...others];
            const round = turns(names[name], Math.max(1, nearest.length), from);
            expect(new Set(round)).toStrictEqual(
              new Set(nearest.length > 0 ? nearest : [undefined]),
            );
          }
        }
        expect(table.size).toBe(new Set(list.map((e) => `${e.connection} ${e.name}`)).size);
      }),
    );
  });

  it('holds nothing of names that were taken back, so that they can be subscribed anew', () => {
    const { table, any, x, y, turns } = setup();
    for (const round of [1n, 2n]) {
      for (const name of [any, x, y]) table.add(name, a, 'edge', round);
      expect(turns(any, 2)).toStrictEqual([a, a]);
      for (const name of [any, x, y]) table.remove(name, a, round);
      expect(() => table.remove(x, a, round)).toThrow('subscription not found');
    }
  });
});
