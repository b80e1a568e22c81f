import { Child } from './child.mjs';

/**
 * Starts a program of the run; `role` names the process in errors and profiles.
 * @callback Start
 * @param {string} role
 * @param {string} program
 * @param {...string} args
 * @returns {Child}
 */

/**
 * Runs a job that starts processes, and ends every one of them, however the job ended. A job that
 * takes longer than the limit fails.
 * @template Result
 * @param {{ limitMs: number, profile?: { folder: string, name: string } }} options `profile`: where each
 *   process leaves a CPU profile
 * @param {(start: Start) => Promise<Result>} job
 * @returns {Promise<Result>}
 */
export async function withProcesses({ limitMs, profile }, job) {
  /** @type {Child[]} */
  const children = [];
  let isOver = false;
  /** @type {Start} */
  const start = (role, program, ...args) => {
    if (isOver) throw new Error(`the run is over, ${role} comes too late`);
    const nodeArgs = profile ? profileArgs(profile.folder, `${profile.name}-${role}`) : [];
    const child = new Child({ role, program, args, nodeArgs });
    children.push(child);
    return child;
  };
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const limit = new Promise((_, reject) => {
    const late = () => reject(new Error(`the run took more than ${limitMs / 1000} s`));
    timer = setTimeout(late, limitMs);
  });
  try {
    return await Promise.race([job(start), /** @type {Promise<never>} */ (limit)]);
  } finally {
    isOver = true;
    clearTimeout(timer);
    await Promise.all(children.map((child) => child.stop()));
  }
}

/**
 * @param {string} folder
 * @param {string} name
 */
function profileArgs(folder, name) {
  const file = `${name.replaceAll(/[^\w.]+/g, '-')}.cpuprofile`;
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${file}`];
}
