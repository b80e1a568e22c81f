const maxTextLength = 1_000;
const maxDepth = 4;

const secretField =
  /token|secret|passw|passphrase|authorization|cookie|credential|payload|private|pem$|key$/i;

/** What secrets look like inside a text, and what is written instead. */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [^-]*-----[^]*?(?:-----END [^-]*-----|$)/g, '<pem>'],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*/g, '<token>'],
  // A digit, a capital or `=` tells credentials from a sentence about basic authentication.
  [/\b([Bb]earer|[Bb]asic|BEARER|BASIC) +(?=[^\s"',]*[\d=A-Z])[^\s"',]+/g, '$1 …'],
  [/\/\/[^/\s@]*@/g, '//…@'],
  [/([?&](?:access_)?(?:token|secret|password)=)[^&\s"]+/gi, '$1…'],
];

/** A text as a log line may have it: without what looks like a secret, and not endless. */
export function cleanText(text: string): string {
  const short = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
  return secretTexts.reduce((clean, [pattern, put]) => clean.replace(pattern, put), short);
}

/**
 * The fields of a log line without secrets: whatever is named like one is left out, texts are cleaned, bytes
 * become their number, and of an error only its code and message remain. The last defence, not the first:
 * events bring no secrets.
 */
export function cleanFields(fields: object): Record<string, unknown> {
  return cleanObject(fields, 0);
}

function cleanObject(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      cleanText(name),
      secretField.test(name) ? '<redacted>' : clean(value, depth),
    ]),
  );
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return cleanError(value);
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (depth >= maxDepth) return '<nested>';
  if (Array.isArray(value)) return value.map((item: unknown) => clean(item, depth + 1));
  return cleanObject(value, depth + 1);
}

/** Neither stack nor cause: what is below a `SlimError` is foreign text. */
function cleanError(error: Error): object {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { code, message: cleanText(error.message) };
}
