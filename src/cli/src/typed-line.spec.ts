import { describe, expect, it } from '@jest/globals';
import { parseTypedLine, typedLineHelp } from './typed-line.js';

describe('parseTypedLine', () => {
  it.each([
    ['hello', { kind: 'say', text: 'hello' }],
    ['  hello  there ', { kind: 'say', text: 'hello  there' }],
    ['a /who in between', { kind: 'say', text: 'a /who in between' }],
    ['//who', { kind: 'say', text: '/who' }],
    ['', { kind: 'nothing' }],
    [' \t', { kind: 'nothing' }],
    ['/invite acme/x/bob', { kind: 'invite', name: 'acme/x/bob' }],
    [' /remove   acme/x/bob ', { kind: 'remove', name: 'acme/x/bob' }],
    ['/who', { kind: 'who' }],
    ['/help', { kind: 'help' }],
    ['/leave', { kind: 'leave' }],
  ])('reads %j', (line, typed) => {
    expect(parseTypedLine(line)).toStrictEqual(typed);
  });

  it.each([
    ['/dance', 'there is no /dance; /help shows what there is'],
    ['/', 'there is no /; /help shows what there is'],
    ['/Invite acme/x/bob', 'there is no /Invite; /help shows what there is'],
    ['/invite', '/invite takes one NAME: org/namespace/service'],
    ['/remove a b', '/remove takes one NAME: org/namespace/service'],
    ['/leave now', '/leave takes nothing more'],
  ])('says how %j is meant', (line, advice) => {
    expect(parseTypedLine(line)).toStrictEqual({ kind: 'mistake', advice });
  });

  it('explains every command', () => {
    const explained = [...typedLineHelp.matchAll(/^(\/[a-z]+)/gm)].map(([, verb]) => verb);
    expect(explained).toStrictEqual(['/invite', '/remove', '/who', '/leave', '/help']);
    for (const verb of explained) {
      expect(JSON.stringify(parseTypedLine(`${verb}`))).not.toContain('there is no');
    }
  });
});
