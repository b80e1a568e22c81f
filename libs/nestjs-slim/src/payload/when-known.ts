/** Goes on with a value at once, or when it is there. */
export function whenKnown<Value, Result>(
  value: Value | PromiseLike<Value>,
  work: (value: Value) => Result,
): Result | Promise<Awaited<Result>> {
  if (!isPromise(value)) return work(value);
  return Promise.resolve(value).then(work) as Promise<Awaited<Result>>;
}

/** Told by its method: applications may bring promises of their own. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
