/** The word of a list that a mistyped one most likely meant; undefined when none is near. */
export function didYouMean(typed: string, words: readonly string[]): string | undefined {
  let nearest: string | undefined;
  // One slip in three letters is a slip, more is another word.
  let best = Math.max(1, Math.floor(Math.min(typed.length, MAX_LENGTH) / 3)) + 1;
  for (const word of words) {
    const distance = distanceBetween(typed.slice(0, MAX_LENGTH), word);
    if (distance < best) [nearest, best] = [word, distance];
  }
  return nearest;
}

/** Longer than any word there is. */
const MAX_LENGTH = 64;

/** How many letters have to be put in, left out or changed to make one of the other. */
function distanceBetween(one: string, other: string): number {
  let above = [...Array(other.length + 1).keys()];
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const changed = (above[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      const added = (current[column - 1] ?? 0) + 1;
      const left = (above[column] ?? 0) + 1;
      current.push(Math.min(changed, added, left));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}
