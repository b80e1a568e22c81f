import { SlimName } from '@nestjs-slim/core';
import { z } from 'zod';

// The text of an error is what was expected; describe-issue.ts puts it into a sentence.

const nameError = 'a name such as org/namespace/service';

export const flag = z.boolean({ error: 'true or false' });

export const text = z.string({ error: 'text' }).min(1, { error: 'text that is not empty' });

/** The name of a service or of one instance of it. */
export const name = z
  .string({ error: nameError })
  .refine(isName, { error: nameError })
  .describe('org/namespace/service');

function isName(written: string): boolean {
  try {
    SlimName.parse(written);
    return true;
  } catch {
    return false;
  }
}

/** A whole number of at least `min`, and of at most `max` where there is a limit. */
export function count(min = 0, max?: number) {
  const error = `a whole number ${max === undefined ? `of at least ${min}` : `from ${min} to ${max}`}`;
  const atLeast = z.int({ error }).min(min, { error });
  return max === undefined ? atLeast : atLeast.max(max, { error });
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: words.map((word) => `"${word}"`).join(' or ') });
}

/** A mapping with these keys and no others. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  // Of an unknown key, what is expected is one of the known ones: a list that unknownKeys takes apart.
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? known : 'a section'),
  });
}

/** A list of these. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.array(item, { error: 'a list' });
}

/** Absent, or written without a value, as the official node reads optional keys. */
export function optional<Value extends z.ZodType>(value: Value) {
  const given = value.nullish().transform((written) => written ?? undefined);
  return given.optional();
}

/** Any mapping: its keys belong to whoever reads it. */
export const freeMap = z.record(z.string(), z.unknown(), { error: 'a section' });

/** A span of time. */
export interface Duration {
  readonly ms: number;
}

/** What units of the official duration strings are worth, in milliseconds. */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

const durationError = 'a duration such as "10s", "1m30s" or "500ms"';

/** A duration in the words of the official node: `10s`, `1m30s`, `500ms`. */
export const duration = z
  .string({ error: durationError })
  .regex(/^(?:\d{1,12}(?:ns|us|ms|[smhdwy]))+$/, { error: durationError })
  .meta({ id: 'duration', description: 'Such as 10s, 1m30s or 500ms' })
  .transform((written): Duration => {
    const parts = written.matchAll(/(\d+)([a-z]+)/g);
    let ms = 0;
    for (const [, amount, unit = ''] of parts) ms += Number(amount) * (unitMs[unit] ?? 0);
    return { ms };
  });

/** A duration that is not zero. */
export const positiveDuration = duration.refine(({ ms }) => ms > 0, {
  error: 'a duration longer than zero',
});

/** Of an address to listen on, what `HOST:PORT` alone does not say. */
export const addressError = 'a port of at most 65535, and nothing but an IPv6 address in brackets';

/** The largest number that HTTP/2 and the timers of Node.js take. */
export const maxInt32 = 2 ** 31 - 1;

/** How long something on a link may take: no longer than timers wait, some 24 days. */
export const timeLimit = duration.refine(({ ms }) => Number.isInteger(ms) && ms <= maxInt32, {
  error: `a duration of whole milliseconds, of at most ${maxInt32}ms`,
});

/** A time limit that is not zero. */
export const positiveTimeLimit = timeLimit.refine(({ ms }) => ms > 0, {
  error: 'a duration longer than zero',
});
