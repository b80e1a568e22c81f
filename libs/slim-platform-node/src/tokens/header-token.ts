/** Whether a token can stand behind its scheme in a header. What else a header may hold, no token has. */
export function isHeaderToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
