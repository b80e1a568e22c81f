import { isExceptionBody } from '../slim-exception.js';

/**
 * The `error.type` of a failure: the code of a `SlimError`, a `SlimException` or another error that has one,
 * else the class of the error. Never its message, which may quote what users wrote.
 */
export function errorType(reason: unknown): string {
  if (isExceptionBody(reason)) return reason.code;
  if (!(reason instanceof Error)) return '_OTHER';
  const code = 'code' in reason ? reason.code : undefined;
  return typeof code === 'string' ? code : reason.constructor.name;
}
