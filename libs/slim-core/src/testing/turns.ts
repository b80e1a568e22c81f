/** Lets everything happen that waits for nothing but its turn: promises, frames on memory links. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
}
