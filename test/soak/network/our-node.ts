import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { inProject } from './places.js';

const logLinesKept = 40;
const statusMs = 2_000;
/** For starting on a machine that is busy. */
const readyMs = 30_000;

/** What the soak reads of `/status.json`. */
export interface NodeFigures {
  readonly counters: {
    readonly received: number;
    readonly forwarded: number;
    readonly refused: number;
    readonly dropped: Readonly<Record<string, number>>;
  };
  readonly links: { readonly items: readonly LinkFigures[] };
  readonly routes: { readonly items: readonly RouteFigures[] };
}

interface LinkFigures {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
  readonly peerNodeId?: string;
  readonly remote: string;
  readonly isFull: boolean;
}

interface RouteFigures {
  readonly name: string;
  readonly id?: string;
  readonly links: readonly number[];
}

/** The links of a node and the names behind them, for whoever looks for what went wrong. */
export function description({ links, routes, counters }: NodeFigures): string {
  const ofLinks = links.items.map(({ id, kind, state, peerNodeId, remote, isFull }) => {
    const about = `${kind} ${state} ${remote} ${peerNodeId ?? ''} ${isFull ? 'full' : ''}`;
    return `  link ${id}: ${about.trimEnd()}`;
  });
  const ofRoutes = routes.items.map(
    ({ name, id, links: over }) => `  ${name} ${id ?? 'any'}: ${over.join(' ')}`,
  );
  return [`  dropped ${JSON.stringify(counters.dropped)}`, ...ofLinks, ...ofRoutes].join('\n');
}

/** `slim node --config` as a process, which is ended and started again at the same addresses. */
export class OurNode {
  readonly name: string;
  readonly #file: string;
  readonly #adminUrl: string;
  readonly #log: string[] = [];
  /** Of the lives before this one. */
  readonly #past: NodeFigures[] = [];
  #process: ChildProcess | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  #last: NodeFigures | undefined;
  #isEnding = false;

  constructor(name: string, file: string, adminUrl: string) {
    this.name = name;
    this.#file = file;
    this.#adminUrl = adminUrl;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get log(): string {
    return this.#log.join('\n');
  }

  /** True when it is gone and nobody wanted that. */
  get hasCrashed(): boolean {
    return !this.#isEnding && this.#process !== undefined && hasEnded(this.#process);
  }

  /** The last that was read of each life. */
  get lives(): readonly NodeFigures[] {
    return this.#last ? [...this.#past, this.#last] : this.#past;
  }

  /** Settles when it listens. */
  async start(): Promise<void> {
    const words = [inProject('src/cli/bin/slim.js'), 'node', '--config', this.#file];
    const started = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = started;
    this.#isEnding = false;
    this.#closed = once(started, 'close');
    createInterface({ input: started.stderr }).on('line', (line) => {
      this.#log.push(line);
      if (this.#log.length > logLinesKept) this.#log.shift();
    });
    const lines = createInterface({ input: started.stdout });
    const ready = new Promise<boolean>((resolve) => {
      lines.on('line', (line) => line.includes('"ready"') && resolve(true));
      lines.once('close', () => resolve(false));
    });
    const isReady = await Promise.race([ready, setTimeout(readyMs, false, { ref: false })]);
    if (isReady) return;
    await this.end('SIGKILL');
    throw new Error(`node ${this.name} did not start:\n${this.log}`);
  }

  /** Settles when it is gone; answers how it ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<string> {
    const { lives } = this;
    this.#isEnding = true;
    this.#process?.kill(signal);
    await this.#closed;
    this.#past.splice(0, this.#past.length, ...lives);
    this.#last = undefined;
    return String(this.#process?.exitCode ?? this.#process?.signalCode);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Reads its figures, unless it cannot answer now. */
  async read(): Promise<NodeFigures | undefined> {
    const life = this.#process;
    try {
      const signal = AbortSignal.timeout(statusMs);
      const answer = await fetch(new URL('/status.json', this.#adminUrl), { signal });
      const figures = (await answer.json()) as NodeFigures;
      if (life === this.#process && !this.#isEnding) this.#last = figures;
      return figures;
    } catch {
      // It is stopped or being started again, which is what the soak does to it.
      return undefined;
    }
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
