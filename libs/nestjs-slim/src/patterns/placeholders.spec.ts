import { afterEach, describe, expect, it } from '@jest/globals';
import { environment, fillPlaceholders, resolveName } from './placeholders.js';

const values: Readonly<Record<string, string>> = { ORG: 'acme', EMPTY: '', SERVICE: 'billing' };
const resolve = (key: string): string | undefined => values[key];

describe('a placeholder', () => {
  afterEach(() => {
    delete process.env['SLIM_SPEC_ORG'];
  });

  it.each([
    ['plain', 'plain'],
    ['${ORG}/${SERVICE}', 'acme/billing'],
    ['${ORG}${EMPTY}$', 'acme$'],
    ['{ORG}', '{ORG}'],
  ])('in "%s" gives "%s"', (text, filled) => {
    expect(fillPlaceholders(text, resolve)).toBe(filled);
  });

  it.each([
    ['${NOWHERE}/x', '${NOWHERE}'],
    ['${}', '${}'],
    ['${ORG', '${ORG'],
    ['x/${ORG/y', 'no end'],
  ])('in "%s" is refused', (text, named) => {
    expect(() => fillPlaceholders(text, resolve)).toThrow(
      expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(named) }),
    );
  });

  it('is refused with the reason of a resolver that throws', () => {
    const strict = (): string => {
      throw new TypeError('no such setting');
    };
    expect(() => fillPlaceholders('${ORG}', strict)).toThrow(
      expect.objectContaining({
        name: 'SlimError',
        code: 'invalid-config',
        message: 'no value for ${ORG}: no such setting',
        cause: expect.any(TypeError),
      }),
    );
  });

  it('is not looked for in values', () => {
    expect(fillPlaceholders('${A}', () => '${B}')).toBe('${B}');
  });

  it('stands for a variable of the environment, unless somebody says otherwise', () => {
    process.env['SLIM_SPEC_ORG'] = 'acme';
    expect(String(resolveName('${SLIM_SPEC_ORG}/ops/room', environment))).toBe('acme/ops/room');
  });
});
