import { readdirSync, readFileSync } from 'node:fs';

/** What one process held at one time. */
interface Sample {
  readonly atMs: number;
  readonly rssMb: number;
  readonly handles: number;
}

/** What a process held as time went by. */
export interface Held {
  readonly name: string;
  readonly seconds: number;
  readonly peakMb: number;
  /** Of the last quarter over the second one; the first is for warming up. */
  readonly growthMb: number;
  readonly mbPerMinute: number;
  readonly peakHandles: number;
  readonly growthHandles: number;
}

/** A life shorter than this says nothing about growth. */
export const shortestLifeMs = 60_000;
const bytesPerPage = 4_096;
const mebibyte = 1_048_576;

/**
 * Watches the resident memory and the open files and sockets of processes, as the kernel counts them. Where
 * there is no `/proc` nothing is measured.
 */
export class Watch {
  /** By process id: one that is started again is another one. */
  readonly #lives = new Map<number, { readonly name: string; readonly samples: Sample[] }>();

  sample(name: string, pid: number | undefined): void {
    const now = pid === undefined ? undefined : held(pid);
    if (pid === undefined || !now) return;
    const life = this.#lives.get(pid) ?? { name, samples: [] };
    this.#lives.set(pid, life);
    life.samples.push(now);
  }

  /** The longest life under each name. */
  get lives(): readonly Held[] {
    const longest = new Map<string, Held>();
    for (const { name, samples } of this.#lives.values()) {
      const life = summary(name, samples);
      if (life.seconds >= (longest.get(name)?.seconds ?? 0)) longest.set(name, life);
    }
    return [...longest.values()];
  }
}

function held(pid: number): Sample | undefined {
  try {
    const [, resident = ''] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    const rssMb = (Number(resident) * bytesPerPage) / mebibyte;
    return { atMs: Date.now(), rssMb, handles: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    // It is gone, or the system has no such files.
    return undefined;
  }
}

function summary(name: string, samples: readonly Sample[]): Held {
  const [begin, end] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 0];
  const quarter = (which: number): readonly Sample[] => {
    const length = samples.length / 4;
    return samples.slice(Math.floor(which * length), Math.floor((which + 1) * length));
  };
  const growth = (of: (sample: Sample) => number): number =>
    median(quarter(3).map(of)) - median(quarter(1).map(of));
  return {
    ...{ name, seconds: Math.round((end - begin) / 1_000) },
    peakMb: round(Math.max(...samples.map(({ rssMb }) => rssMb))),
    growthMb: round(growth(({ rssMb }) => rssMb)),
    mbPerMinute: round(slope(samples.slice(Math.floor(samples.length / 2)))),
    peakHandles: Math.max(...samples.map(({ handles }) => handles)),
    growthHandles: growth(({ handles }) => handles),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Of the line that fits best. */
function slope(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, samples.length);
  const [meanMs, meanMb] = [mean(({ atMs }) => atMs), mean(({ rssMb }) => rssMb)];
  let [above, below] = [0, 0];
  for (const { atMs, rssMb } of samples) {
    above += (atMs - meanMs) * (rssMb - meanMb);
    below += (atMs - meanMs) ** 2;
  }
  return below === 0 ? 0 : (above / below) * 60_000;
}
