/** Settles when nothing in this process waits for a file any more. */
export async function filesAreRead(): Promise<void> {
  const waits = (): boolean =>
    process.getActiveResourcesInfo().some((name) => /FSReq|CloseReq/.test(name));
  do await new Promise(setImmediate);
  while (waits());
}
