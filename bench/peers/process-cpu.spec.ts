import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { canReadProcessCpu, processCpuMs } from './process-cpu.mjs';

/** Computes on its main thread and on four others, then prints its own CPU time and waits. */
const busyProgram = `
  process.title = 'a) b (c';
  const untilMs = Date.now() + 200;
  while (Date.now() < untilMs);
  let left = 4;
  const report = () => {
    left -= 1;
    if (left > 0) return;
    const { user, system } = process.cpuUsage();
    console.log((user + system) / 1000);
    process.stdin.resume();
  };
  for (let n = 0; n < 4; n += 1) crypto.pbkdf2('a', 'b', 100_000, 64, 'sha512', report);
`;

(canReadProcessCpu ? describe : describe.skip)('processCpuMs', () => {
  it('reads what a process has computed on all its threads, and throws when it is gone', async () => {
    const child = spawn(process.execPath, ['-e', busyProgram], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const ownMs = Number(line);
    const readMs = processCpuMs(child.pid ?? NaN);

    // Two numbers rounded down to 10 ms each, against one that is exact but older.
    expect(readMs).toBeGreaterThan(ownMs - 25);
    expect(readMs).toBeLessThan(ownMs + 100);

    child.stdin.end();
    await once(child, 'close');
    expect(() => processCpuMs(child.pid ?? NaN)).toThrow('ENOENT');
  });
});
