import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What a party of the soak can be asked, by the name of the operation. */
export type Operations = Readonly<Record<string, (args: never) => unknown>>;

interface Command {
  readonly id: number;
  readonly op: string;
}

/**
 * Answers commands as `CommandProcess` gives them, each as soon as it is done. When its parent is gone, or
 * when it is told to stop by SIGTERM, it closes and ends.
 */
export function serve(operations: Operations, close: () => Promise<void>): void {
  const replies = new Socket({ fd: 3, readable: false, writable: true });
  const execute = async ({ id, op, ...args }: Command): Promise<void> => {
    const operation = operations[op] as ((args: object) => unknown) | undefined;
    try {
      if (!operation) throw new Error('unknown operation');
      const answer = (await operation(args)) as object | undefined;
      replies.write(`${JSON.stringify({ ...answer, id, ok: true })}\n`);
    } catch (reason) {
      replies.write(`${JSON.stringify({ id, ok: false, error: String(reason) })}\n`);
    }
  };
  const end = (): void => {
    void close().then(
      () => process.exit(0),
      (reason: unknown) => {
        console.error(reason);
        process.exit(1);
      },
    );
  };
  createInterface({ input: process.stdin })
    .on('line', (line) => void execute(JSON.parse(line) as Command))
    .on('close', () => process.exit(0));
  process.once('SIGTERM', end);
}
