/** Stops what was scheduled; does nothing when it already ran. */
export type Cancel = () => void;

/** Time as a value that is handed in, so that tests can move it by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `task` once after `delayMs` milliseconds unless cancelled before. */
  schedule(delayMs: number, task: () => void): Cancel;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
