import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Makes this process one that `Child` can drive: commands run concurrently, each gets one answer, and
 * the process ends when standard input does, so it never outlives the harness. Every such process also
 * answers `usage`.
 * @param {Record<string, (args: any) => object | void | Promise<object | void>>} operations
 */
export function serve(operations) {
  const answers = new Socket({ fd: 3, readable: false, writable: true });
  /** @param {{ id: number, op: string }} command */
  const execute = async ({ id, op, ...args }) => {
    let line;
    try {
      const operation = op === 'usage' ? usage : operations[op];
      if (!operation) throw new Error(`unknown operation ${op}`);
      line = { id, ok: true, ...(await operation(args)) };
    } catch (reason) {
      line = { id, ok: false, error: reason instanceof Error ? reason.stack : String(reason) };
    }
    answers.write(`${JSON.stringify(line)}\n`);
  };
  createInterface({ input: process.stdin })
    .on('line', (line) => void execute(JSON.parse(line)))
    .on('close', () => process.exit(0));
}

/** Milliseconds that this process has computed, on all its threads. */
function usage() {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000 };
}
