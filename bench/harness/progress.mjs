import ora from 'ora';
import { timeLeftMs } from './time-left.mjs';

/** @typedef {import('./measure.mjs').Case} Case */
/** @typedef {import('./measure.mjs').Watcher} Watcher */

const barWidth = 24;
// The bench shares its cores with what it measures, so it draws rarely.
const redrawMs = 1_000;

/**
 * Shows on standard error what a bench is doing: a bar on a terminal, otherwise one line a case.
 * @implements {Watcher}
 */
export class Progress {
  /** Runs to come, in order, by `key`. @type {string[]} */
  #left;
  /** What the last run of each took. @type {Map<string, number>} */
  #tookMs = new Map();
  #done = 0;
  #isRunning = false;
  #current = { key: '', what: '', startedAtMs: 0 };
  #line = ora({ stream: process.stderr, interval: redrawMs, discardStdin: false });
  /** @type {NodeJS.Timeout | undefined} */
  #redraw;

  /**
   * @param {readonly Case[]} cases
   * @param {number} rounds
   */
  constructor(cases, rounds) {
    this.#left = cases.flatMap((benchCase) =>
      Array.from({ length: rounds }, () => Object.keys(benchCase.contenders)).flatMap((names) =>
        names.map((contender) => key(benchCase, contender)),
      ),
    );
  }

  /** @param {Case} benchCase */
  beginCase({ name }) {
    if (!process.stderr.isTTY) process.stderr.write(`${this.#position()}: ${name}\n`);
  }

  /** @type {Watcher['started']} */
  started(benchCase, contender) {
    const next = this.#left.shift();
    if (next !== key(benchCase, contender)) throw new Error(`expected a run of ${next}`);
    const what = `${benchCase.name} · ${contender}`;
    this.#isRunning = true;
    this.#current = { key: next, what, startedAtMs: performance.now() };
    if (!process.stderr.isTTY) return;
    this.#draw();
    this.#line.start();
    this.#redraw ??= setInterval(() => this.#draw(), redrawMs);
  }

  ended() {
    this.#isRunning = false;
    this.#done += 1;
    this.#tookMs.set(this.#current.key, performance.now() - this.#current.startedAtMs);
  }

  /** @type {Watcher['dropped']} */
  dropped(benchCase, contender) {
    const dropped = contender === undefined ? Object.keys(benchCase.contenders) : [contender];
    const keys = new Set(dropped.map((name) => key(benchCase, name)));
    this.#left = this.#left.filter((other) => !keys.has(other));
  }

  /** Clears the line, so that something else can be printed. */
  clear() {
    clearInterval(this.#redraw);
    this.#redraw = undefined;
    this.#line.stop();
  }

  get #total() {
    return this.#done + (this.#isRunning ? 1 : 0) + this.#left.length;
  }

  #position() {
    return `run ${this.#done + 1} of ${this.#total}`;
  }

  #draw() {
    const share = this.#done / this.#total;
    const filled = Math.round(share * barWidth);
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
    const { key: running, what, startedAtMs } = this.#current;
    const elapsedMs = performance.now() - startedAtMs;
    const leftMs = timeLeftMs({ running, elapsedMs, left: this.#left, tookMs: this.#tookMs });
    const left = leftMs === undefined ? '' : ` · ${inMinutes(leftMs)} left`;
    this.#line.text = `${bar} ${this.#position()}${left} · ${what}`;
  }
}

/**
 * @param {Case} benchCase
 * @param {string} contender
 */
const key = ({ name }, contender) => `${name} · ${contender}`;

/** @param {number} ms */
function inMinutes(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
