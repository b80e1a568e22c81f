import { describe, expect, it } from '@jest/globals';
import { SlimName } from '@nestjs-slim/core';
import { parsePattern, patternKey } from './pattern.js';

const own = SlimName.parse('acme/billing/invoices');
const id = '0f0e0d0c-0b0a-0908-0706-050403020100';

describe('a pattern', () => {
  it.each([
    ['acme/ledger/book', 'acme/ledger/book', ''],
    ['acme/ledger/book#write', 'acme/ledger/book', 'write'],
    [`acme/ledger/book/${id}`, `acme/ledger/book/${id}`, ''],
    [`acme/ledger/book/${id}#write`, `acme/ledger/book/${id}`, 'write'],
    ['write', 'acme/billing/invoices', 'write'],
    ['user.created:v1', 'acme/billing/invoices', 'user.created:v1'],
  ])('"%s" means %s, operation "%s"', (pattern, name, operation) => {
    const parsed = parsePattern(pattern, own);
    expect([String(parsed.name), parsed.operation]).toStrictEqual([name, operation]);
  });

  it.each([
    [{ name: 'acme/ledger/book' }, 'acme/ledger/book', ''],
    [{ name: 'acme/ledger/book', operation: 'write' }, 'acme/ledger/book', 'write'],
    [{ operation: 'write', name: `acme/ledger/book/${id}` }, `acme/ledger/book/${id}`, 'write'],
    [{ name: SlimName.parse('acme/ledger/book'), operation: 'w' }, 'acme/ledger/book', 'w'],
    [{ name: undefined, operation: 'write' }, 'acme/billing/invoices', 'write'],
    [{ name: '${SERVICE}', operation: 'v1.${OPERATION}' }, 'acme/ledger/book', 'v1.write'],
    ['${SERVICE}#${OPERATION}', 'acme/ledger/book', 'write'],
    ['${OPERATION}', 'acme/billing/invoices', 'write'],
  ])('%j means %s, operation "%s"', (pattern, name, operation) => {
    const values = new Map([
      ['SERVICE', 'acme/ledger/book'],
      ['OPERATION', 'write'],
    ]);
    const parsed = parsePattern(pattern, own, (key) => values.get(key));
    expect([String(parsed.name), parsed.operation]).toStrictEqual([name, operation]);
  });

  it('that looks like JSON is plain text', () => {
    const { name, operation } = parsePattern('{"cmd":"sum"}', own);
    expect([name, operation]).toStrictEqual([own, '{"cmd":"sum"}']);
  });

  it.each([
    {},
    { name: 'create' },
    { name: '', operation: 'create' },
    { name: 'acme/ledger/book#write' },
    { name: 'acme/ledger/book#write', operation: 'write' },
    { name: 'acme/ledger/book', operation: 'a/b' },
    { operation: 'acme/ledger/book' },
    { operation: '' },
    { name: 7 },
    { name: null, operation: 'create' },
    { name: 'acme/ledger/book', operation: 'write', extra: 1 },
    ['acme/ledger/book', 'write'],
  ])('%j is refused, as it was written', (pattern) => {
    expect(() => parsePattern(pattern, own)).toThrow(
      expect.objectContaining({
        code: 'invalid-name',
        message: expect.stringContaining(JSON.stringify(pattern)),
      }),
    );
  });

  it('whose operation is a name is refused, as a person would write it', () => {
    expect(() => parsePattern({ operation: own }, own)).toThrow(
      expect.objectContaining({
        code: 'invalid-name',
        message: expect.stringContaining('{"operation":"acme/billing/invoices"}'),
      }),
    );
  });

  it('with a placeholder nothing stands for is refused, naming it', () => {
    for (const pattern of ['${NOWHERE}', { name: '${NOWHERE}' }, { operation: '${NOWHERE}' }]) {
      expect(() => parsePattern(pattern, own, () => undefined)).toThrow(
        expect.objectContaining({
          code: 'invalid-config',
          message: expect.stringContaining('${NOWHERE}'),
        }),
      );
    }
  });

  it('has one key however it is written', () => {
    const keyOf = (pattern: string): string => {
      const { name, operation } = parsePattern(pattern, own);
      return patternKey(name.service, operation);
    };
    expect(keyOf('create')).toBe(keyOf('acme/billing/invoices#create'));
    expect(keyOf('acme/billing/invoices')).toBe('acme/billing/invoices');
  });

  it.each([
    '',
    ' ',
    'two words',
    '#create',
    'create#now',
    'acme/billing',
    'acme//invoices',
    'acme/billing/invoices#',
    'acme/billing/invoices#a#b',
    'acme/billing/invoices#a/b',
    'acme/billing/invoices/not-a-uuid#create',
    `acme/billing/invoices/${id}/more`,
    { cmd: 'sum' },
    7,
    undefined,
    Symbol('sum'),
  ])('%p is refused, by name', (pattern) => {
    const text = typeof pattern === 'object' ? '"cmd"' : String(pattern);
    expect(() => parsePattern(pattern, own)).toThrow(
      expect.objectContaining({ code: 'invalid-name', message: expect.stringContaining(text) }),
    );
  });

  it('without a slash needs somebody it belongs to', () => {
    expect(() => parsePattern('create', undefined)).toThrow(
      expect.objectContaining({
        code: 'invalid-name',
        message: expect.stringMatching(/"create".*org\/namespace\/service#operation/),
      }),
    );
  });
});
