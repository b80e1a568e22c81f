import { describe, expect, it } from '@jest/globals';
import { OperationPattern } from './operation-pattern.js';

describe('the operation of a handler', () => {
  it.each([
    ['create', 'create', {}],
    ['', '', {}],
    ['user.:id', 'user.7', { id: '7' }],
    ['user.:id.:field', 'user.7.name', { id: '7', field: 'name' }],
    ['user.*.*', 'user.7.name', { 0: '7', 1: 'name' }],
    [':kind.*.done', 'user.7.done', { kind: 'user', 0: '7' }],
    ['user.**', 'user.7', { '**': '7' }],
    ['user.**', 'user.7.name.first', { '**': '7.name.first' }],
    ['**', 'create', { '**': 'create' }],
    [':id.**', 'user.7.name', { id: 'user', '**': '7.name' }],
    ['user.*', 'user.*', { 0: '*' }],
    ['a:b.*c', 'a:b.*c', {}],
    ['user.:', 'user.:', {}],
  ])('"%s" takes "%s"', (pattern, operation, params) => {
    expect(new OperationPattern(pattern).match(operation)).toStrictEqual(params);
  });

  it.each([
    ['create', 'created'],
    ['create', 'create.now'],
    ['user.:id', 'user'],
    ['user.:id', 'user.7.name'],
    ['user.:id', 'users.7'],
    ['user.:id', 'user.'],
    ['user.:id.name', 'user..name'],
    ['user.**', 'user'],
    ['user.**', 'user.'],
    ['*', ''],
    ['**', ''],
    ['User.*', 'user.7'],
  ])('"%s" does not take "%s"', (pattern, operation) => {
    expect(new OperationPattern(pattern).match(operation)).toBeUndefined();
  });

  it.each([
    ['user.**.name', '"**"'],
    ['**.**', '"**"'],
    ['user.:id.:id', '"id"'],
    [':0.*', '"0"'],
  ])('"%s" is refused', (pattern, named) => {
    expect(() => new OperationPattern(pattern)).toThrow(
      expect.objectContaining({ code: 'invalid-name', message: expect.stringContaining(named) }),
    );
  });

  it('has one shape whatever its wildcards are called', () => {
    const shapeOf = (pattern: string): string => new OperationPattern(pattern).shape;
    expect(shapeOf('user.:id')).toBe(shapeOf('user.*'));
    expect(shapeOf('user.:id')).toBe(shapeOf('user.:name'));
    expect(shapeOf('user.:id')).not.toBe(shapeOf('user.**'));
  });

  it('sorts by what it leaves open, from the left', () => {
    const patterns = ['**', '*.created', 'user.**', '*.*', 'user.:id', 'user.:id.name', 'user.7'];
    const sorted = patterns
      .map((text) => ({ text, pattern: new OperationPattern(text) }))
      .toSorted((one, other) => OperationPattern.bySpecificity(one.pattern, other.pattern))
      .map(({ text }) => text);
    expect(sorted.slice(0, 1)).toStrictEqual(['user.7']);
    expect(sorted.slice(3)).toStrictEqual(['user.**', '*.created', '*.*', '**']);
  });
});
