import { afterAll, beforeAll, expect } from '@jest/globals';

/** Fails the tests of a file when anything in it was left to nobody: a rejection, or an error outside of any call. */
export function expectNothingUnhandled(): void {
  const seen: unknown[] = [];
  const note = (reason: unknown): void => void seen.push(reason);
  beforeAll(() => {
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
  });
  afterAll(async () => {
    // A rejection is reported once the promises of its turn are through.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
    expect(seen).toStrictEqual([]);
  });
}
