/** What the caller is told of an error nobody meant for it, as Nest words it. */
export const internalError = { status: 'error', message: 'Internal server error' } as const;

/** An error reply of the transport itself. */
export function transportError(code: string, message: string): Readonly<Record<string, string>> {
  return { status: 'error', message, code };
}

/**
 * An error as a value that can travel: an `RpcException` as Nest maps it, another `Error` by its message
 * and code, anything else, falsy values included, as it is.
 */
export function errorValue(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason;
  const rpc = rpcError(reason);
  if (rpc) return rpc.value;
  const { message } = reason;
  return 'code' in reason
    ? { status: 'error', message, code: reason.code }
    : { status: 'error', message };
}

/** What an `RpcException` holds. Told by its shape: there may be two copies of the class. */
export function rpcError(reason: unknown): { readonly value: unknown } | undefined {
  if (!(reason instanceof Error) || !('getError' in reason)) return undefined;
  if (typeof reason.getError !== 'function') return undefined;
  const held = (reason as { getError(): unknown }).getError();
  const isObject = typeof held === 'object' && held !== null;
  return { value: isObject ? held : { status: 'error', message: held } };
}
