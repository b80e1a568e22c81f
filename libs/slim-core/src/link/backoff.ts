/** How long to wait before a link is dialled again, in milliseconds. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const defaultBackoff: BackoffPolicy = { firstMs: 100, maxMs: 5_000 };

/**
 * The wait before that attempt (0 is the first): it doubles up to a limit, and between half and all of it
 * is taken at random, so that the clients of a node that restarts do not come back all at once.
 */
export function backoffMs(
  { firstMs, maxMs }: BackoffPolicy,
  attempt: number,
  random: number,
): number {
  const fullMs = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return fullMs / 2 + (fullMs / 2) * random;
}
