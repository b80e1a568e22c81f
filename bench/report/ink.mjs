/**
 * Readable on white and on black, as GitHub shows pictures on either: about the same contrast to both.
 */
export const ink = { text: '#7a828c', line: '#7a828c', good: '#2da44e', bad: '#d4822a' };
