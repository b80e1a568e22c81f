import { readFileSync } from 'node:fs';

/** Linux shows times to programs in hundredths of a second, whatever its own clock does (proc(5)). */
const tickMs = 10;

/** Whether this system tells the CPU time of any process. */
export const canReadProcessCpu = process.platform === 'linux';

/**
 * Milliseconds of CPU time since the start of a process on all its threads, to 10 ms; throws when
 * there is no such process. For processes that cannot be asked, as those of other programs.
 * @param {number} pid
 */
export function processCpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name of the program in brackets, which may have spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15, and this began with the third.
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isInteger(ticks)) throw new Error(`no CPU time in "${stat}"`);
  return ticks * tickMs;
}
