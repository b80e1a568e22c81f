/** What the log of the guest shows that must not be. */
export interface GuestFaults {
  readonly lost: readonly string[];
  readonly duplicates: readonly string[];
  readonly disordered: readonly string[];
}

interface Received {
  readonly membership: string;
  readonly sender: string;
  readonly numbers: readonly number[];
}

/**
 * Holds what the guest received against the messages that were delivered. A guest that was killed had not yet
 * written all that it had; but between the first and the last message that it wrote of a sender, in one
 * membership, there has to be every one that was delivered, once and in order. One that goes on by what it had
 * kept may get what is repeated to it after younger messages (`docs/persistence.md`).
 */
export function guestFaults(lines: readonly string[], delivered: readonly string[]): GuestFaults {
  const isDelivered = new Set(delivered);
  const restored = new Set(
    lines.flatMap((line) => (line.startsWith('restored ') ? line.split(' ').slice(1, 2) : [])),
  );
  const all = received(lines).map(({ membership, sender, numbers }) => {
    const message = (number: number): string => `${membership}: ${sender} ${number}`;
    const late = lateOf(numbers);
    const isRestored = restored.has(membership);
    const seen = new Set(numbers);
    const from = isRestored
      ? Math.max(0, ...numbers.slice(0, late.at(-1) ?? 1))
      : (numbers[0] ?? 0);
    const between = numbersOf(from, Math.max(0, ...numbers));
    return {
      lost: between
        .filter((number) => isDelivered.has(`${sender} ${number}`) && !seen.has(number))
        .map(message),
      duplicates: numbers.filter((number, at) => numbers.indexOf(number) < at).map(message),
      disordered: isRestored ? [] : late.map((at) => message(numbers[at] ?? 0)),
    };
  });
  return {
    lost: all.flatMap(({ lost }) => lost),
    duplicates: all.flatMap(({ duplicates }) => duplicates),
    disordered: all.flatMap(({ disordered }) => disordered),
  };
}

/** Places of those that came after a larger one; 0 is none of them. */
function lateOf(numbers: readonly number[]): readonly number[] {
  let largest = 0;
  return numbers.flatMap((number, at) => {
    const isLate = number < largest;
    largest = Math.max(largest, number);
    return isLate ? [at] : [];
  });
}

function numbersOf(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

function received(lines: readonly string[]): readonly Received[] {
  const all = new Map<string, Received & { readonly numbers: number[] }>();
  for (const line of lines) {
    const [what, membership = '', sender = '', number = ''] = line.split(' ');
    if (what !== 'got') continue;
    const key = `${membership} ${sender}`;
    const one = all.get(key) ?? { membership, sender, numbers: [] };
    all.set(key, one);
    one.numbers.push(Number(number));
  }
  return [...all.values()];
}
