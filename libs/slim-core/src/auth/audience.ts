import { SlimError } from '../errors/slim-error.js';

/** The audiences as a list, of which there is at least one. @throws SlimError `invalid-config` */
export function parseAudience(audience: string | readonly string[]): readonly string[] {
  const list: readonly unknown[] = [audience].flat();
  const isName = (name: unknown): name is string => typeof name === 'string' && name !== '';
  if (list.length > 0 && list.every(isName)) return list;
  throw new SlimError('invalid-config', 'expected the audience to be a name or a list of names');
}
