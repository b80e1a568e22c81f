/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Base64 for URLs, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Undefined for text that is not canonical padded base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  let end = text.length;
  for (let padding = 0; padding < 2 && text.charAt(end - 1) === '='; padding += 1) end -= 1;
  return decode(text, end, standardValues);
}

/** Undefined for text that is not unpadded base64url. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  return decode(text, text.length, urlValues);
}

/**
 * By a table, because `atob` takes what is no base64 and what is not canonical, and checking that costs
 * more than decoding: every token is three fields of this (bench case `invite`).
 */
function decode(text: string, end: number, values: Int8Array): Uint8Array | undefined {
  if (end % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let bits = 0;
  let bitCount = 0;
  let length = 0;
  for (let at = 0; at < end; at += 1) {
    const value = values[text.charCodeAt(at)] ?? -1;
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[length] = bits >>> bitCount;
    length += 1;
  }
  // Bits beyond the last byte are zero, or a value would have several spellings.
  return bits & ((1 << bitCount) - 1) ? undefined : bytes;
}

const common = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const standardValues = valuesOf(`${common}+/`);
const urlValues = valuesOf(`${common}-_`);

/** What each ASCII character stands for; -1 where it stands for nothing. */
function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (let value = 0; value < alphabet.length; value += 1)
    values[alphabet.charCodeAt(value)] = value;
  return values;
}
