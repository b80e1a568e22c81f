/** What others send must not steer the terminal: control characters are replaced, but for `\n` and `\t`. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, '\u{fffd}');
}

/** The same for a cell of a table, which has one line and no way to change the direction of writing. */
export function printableCell(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
