import { SlimError, type SlimErrorCode } from '@nestjs-slim/core';
import { SlimException } from '../slim-exception.js';

/** What the caller is told of an error nobody meant for it, as Nest words it. */
export const internalError = { status: 'error', message: 'Internal server error' } as const;

/** Failures of the transport that another try may not meet. */
const retryableCodes: ReadonlySet<string> = new Set<SlimErrorCode>([
  'backpressure',
  'link-closed',
  'link-failed',
  'no-route',
  'not-delivered',
  'peer-lost',
  'session-closed',
  'timeout',
]);

/**
 * An error as a value that can travel: an `RpcException` as Nest maps it, one of this library as the body
 * of a `SlimException`, another `Error` by its message and code, anything else, falsy values included, as it is.
 */
export function errorValue(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason;
  const rpc = rpcError(reason);
  if (rpc) return rpc.value;
  const { message } = reason;
  const code = 'code' in reason ? reason.code : undefined;
  if (reason instanceof SlimError) return exceptionOf(reason).getError();
  return code === undefined ? { status: 'error', message } : { status: 'error', message, code };
}

/** A failure of this library as what handlers may throw and callers are told. */
export function exceptionOf(reason: SlimError): SlimException {
  const { code, message } = reason;
  return new SlimException({ code, message, retryable: retryableCodes.has(code), cause: reason });
}

/** What an `RpcException` holds. Told by its shape: there may be two copies of the class. */
export function rpcError(reason: unknown): { readonly value: unknown } | undefined {
  if (!(reason instanceof Error) || !('getError' in reason)) return undefined;
  if (typeof reason.getError !== 'function') return undefined;
  const held = (reason as { getError(): unknown }).getError();
  const isObject = typeof held === 'object' && held !== null;
  return { value: isObject ? held : { status: 'error', message: held } };
}
