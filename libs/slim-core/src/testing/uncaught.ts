/** Runs `work` and gives what was thrown in later microtasks meanwhile, which else is an uncaught exception. */
export async function uncaughtBy(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const { queueMicrotask: queue } = globalThis;
  const errors: unknown[] = [];
  globalThis.queueMicrotask = (run) => {
    queue(() => {
      try {
        run();
      } catch (reason) {
        errors.push(reason);
      }
    });
  };
  try {
    await work();
  } finally {
    globalThis.queueMicrotask = queue;
  }
  return errors;
}
