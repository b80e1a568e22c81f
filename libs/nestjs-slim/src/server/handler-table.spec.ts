import { describe, expect, it } from '@jest/globals';
import { SlimName } from '@nestjs-slim/core';
import { PatternReader } from '../patterns/pattern-reader.js';
import { HandlerTable, type Match } from './handler-table.js';

const service = 'acme/billing/invoices';
const own = SlimName.parse(service);

/** Handlers are known by their pattern. */
function setup(messages: readonly unknown[], events: readonly unknown[] = []) {
  const table = new HandlerTable(own, new PatternReader(own, () => undefined));
  const named = new Map<unknown, string>();
  const add = (pattern: unknown, isEvent: boolean): string => {
    const handler = async (): Promise<void> => undefined;
    named.set(handler, typeof pattern === 'string' ? pattern : JSON.stringify(pattern));
    return table.add(pattern, handler, isEvent);
  };
  for (const pattern of messages) add(pattern, false);
  for (const pattern of events) add(pattern, true);
  const told = ({ handler, params }: Match) => [named.get(handler), params];
  return {
    table,
    add,
    message: (operation: string, at = service) => {
      const match = table.message(at, operation);
      return match && told(match);
    },
    events: (operation: string) => table.events(service, operation).map(told),
  };
}

describe('the handlers of a server', () => {
  it('are found by name and operation, however they wrote it', () => {
    const { message } = setup([
      service,
      'create',
      { operation: 'delete' },
      { name: 'acme/ledger/book', operation: 'write' },
    ]);
    expect(message('')).toStrictEqual([service, {}]);
    expect(message('create')).toStrictEqual(['create', {}]);
    expect(message('delete')?.[0]).toBe('{"operation":"delete"}');
    expect(message('write', 'acme/ledger/book')?.[1]).toStrictEqual({});
    expect(message('write')).toBeUndefined();
  });

  it.each([
    ['user.7', 'user.7', {}],
    ['user.8', 'user.:id', { id: '8' }],
    ['user.8.name', 'user.:id.name', { id: '8' }],
    ['user.8.email', 'user.**', { '**': '8.email' }],
    ['order.8', '*.*', { 0: 'order', 1: '8' }],
    ['order', '**', { '**': 'order' }],
  ])(
    'for the request "%s" are the one that leaves least open, "%s"',
    (operation, pattern, params) => {
      const patterns = ['**', '*.*', 'user.**', 'user.:id', 'user.:id.name', 'user.7'];
      for (const order of [patterns, patterns.toReversed()]) {
        expect(setup(order).message(operation)).toStrictEqual([pattern, params]);
      }
    },
  );

  it('for an event are all that match', () => {
    const patterns = ['user.*', 'user.:id', 'user.7', 'user.7', '**', 'order.*'];
    expect(setup([], patterns).events('user.7')).toStrictEqual([
      ['user.7', {}],
      ['user.7', {}],
      ['user.*', { 0: '7' }],
      ['user.:id', { id: '7' }],
      ['**', { '**': 'user.7' }],
    ]);
  });

  it('of one kind do not stand in for the other', () => {
    const { message, events } = setup(['user.*'], ['user.7']);
    expect(message('user.7')?.[0]).toBe('user.*');
    expect(events('user.8')).toStrictEqual([]);
  });

  it('of one service do not see what another is asked', () => {
    const { message } = setup(['acme/billing/invoices2#**', '**']);
    expect(message('x', 'acme/billing/invoices2')?.[0]).toBe('acme/billing/invoices2#**');
    expect(message('x')?.[0]).toBe('**');
  });

  it.each([
    ['create', false, `${service}#create`, false],
    ['create', false, { operation: 'create' }, true],
    ['create', true, 'create', false],
    ['user.:id', false, 'user.*', false],
    ['user.:id', false, `${service}#user.:name`, true],
    ['**', true, '**', false],
  ])('cannot be %j (event: %s) and %j (event: %s)', (first, isEvent, second, isOtherEvent) => {
    const { add } = setup([]);
    add(first, isEvent);
    const nameOf = (pattern: unknown, isIt: boolean): string => {
      const text = typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
      return `${isIt ? 'event' : 'message'} handler "${text}"`;
    };
    expect(() => add(second, isOtherEvent)).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: expect.stringContaining(
          `${nameOf(first, isEvent)} and ${nameOf(second, isOtherEvent)} both mean`,
        ),
      }),
    );
  });

  it('say which other services they need', () => {
    const { table } = setup(['create', 'acme/ledger/book#write'], ['acme/ledger/book', 'x']);
    expect(table.aliases).toStrictEqual(['acme/ledger/book']);
  });
});
