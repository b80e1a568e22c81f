import { describe, expect, it } from '@jest/globals';
import { nameId, nullId } from './name-id.js';
import { SlimName } from './slim-name.js';

const uuid = '60f2d0d6-2153-22dd-e4f0-d12720bf4070';
const invalidName = expect.objectContaining({ code: 'invalid-name' });

describe('SlimName', () => {
  it('reads organisation, namespace and service', () => {
    const name = SlimName.parse('org/ns/agent');
    expect(name.components).toStrictEqual(['org', 'ns', 'agent']);
    expect(name.id).toBe(nullId);
    expect(name.isInstance).toBe(false);
  });

  it('reads the id of one instance', () => {
    const name = SlimName.parse(`org/ns/agent/${uuid}`);
    expect(name.id).toBe(0x60f2d0d6215322dde4f0d12720bf4070n);
    expect(name.isInstance).toBe(true);
    expect(name.service).toBe('org/ns/agent');
  });

  it.each(['  org/ns/agent\n', 'org / ns /\tagent', ' org/ns/agent '])(
    'drops white space around the parts of %j',
    (text) => {
      expect(SlimName.parse(text).service).toBe('org/ns/agent');
    },
  );

  it('keeps white space, case and any script inside a part', () => {
    const text = 'Org/with space/日本語';
    expect(SlimName.parse(text).toString()).toBe(text);
  });

  it.each(['', 'org', 'org/ns', '/ns/agent', 'org//agent', 'org/ns/ ', 'org/ns/agent/', '///'])(
    'refuses %j, which is no three parts',
    (text) => {
      expect(() => SlimName.parse(text)).toThrow(invalidName);
    },
  );

  it.each([`org/ns/agent/${uuid}/more`, 'org/ns/agent/7', 'org/ns/agent/null'])(
    'refuses %j and says which name it was',
    (text) => {
      expect(() => SlimName.parse(text)).toThrow(invalidName);
    },
  );

  it('names the offending text in its error', () => {
    expect(() => SlimName.parse('org/ns')).toThrow('expected org/namespace/service, got "org/ns"');
  });

  it('takes a name or its text', () => {
    const name = SlimName.parse('org/ns/agent');
    expect(SlimName.from(name)).toBe(name);
    expect(SlimName.from('org/ns/agent')).toStrictEqual(name);
  });

  it('prints what it was read from', () => {
    for (const text of ['org/ns/agent', `org/ns/agent/${uuid}`]) {
      expect(SlimName.parse(text).toString()).toBe(text);
    }
    expect(SlimName.parse('org/ns/agent/NULL_COMPONENT').toString()).toBe('org/ns/agent');
  });

  it('gives another name for another instance and stays as it is', () => {
    const any = SlimName.parse('org/ns/agent');
    const one = any.withId(nameId(7n));
    expect(one.toString()).toBe('org/ns/agent/00000000-0000-0000-0000-000000000007');
    expect(any.isInstance).toBe(false);
  });
});
