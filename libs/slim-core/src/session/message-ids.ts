/** Ids of sequential messages live below 2^31 and wrap around (reference: sessions 2.4). */
const modulus = 2 ** 31;
const half = 2 ** 30;

/** False for the ids of messages that stand by themselves. */
export const isSequential = (id: number): boolean => id < modulus;

/** The id after this one. */
export const nextMessageId = (id: number): number => (id + 1) % modulus;

/** The id before this one. */
export const previousMessageId = (id: number): number => (id + modulus - 1) % modulus;

/** How far `id` is behind `later`, going forward. */
export const distance = (id: number, later: number): number => (later - id + modulus) % modulus;

/** True when `id` comes after `other`, across the wrap-around. */
export const isAfter = (id: number, other: number): boolean => {
  const ahead = distance(other, id);
  return ahead > 0 && ahead <= half;
};
