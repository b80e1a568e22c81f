/** Goes on with a value at once, or when it is there. */
export function whenKnown<Value, Result>(
  value: Value | Promise<Value>,
  work: (value: Value) => Result,
): Result | Promise<Awaited<Result>> {
  return value instanceof Promise ? (value.then(work) as Promise<Awaited<Result>>) : work(value);
}
