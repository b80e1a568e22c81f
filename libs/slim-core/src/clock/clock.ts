/** Stops what was scheduled; does nothing when it already ran. */
export type Cancel = () => void;

/** Time as a value that is handed in, so that tests can move it by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `task` once after `delayMs` milliseconds unless cancelled before. */
  schedule(delayMs: number, task: () => void): Cancel;
}

/** The longest that timers wait, some 24 days; what is to wait longer would run at once. */
const longestMs = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, longestMs));
    return () => clearTimeout(timer);
  },
};
