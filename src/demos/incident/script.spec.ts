import { expect, it } from '@jest/globals';
import { answerOf, chapters } from './script.js';

it.each(chapters)('"$title" is told by answers alone, one line after the other', ({ lines }) => {
  for (const [at, { by, text }] of lines.slice(1).entries()) {
    const before = lines[at]?.text ?? '';
    expect(answerOf(by, before)).toBe(text);
  }
  expect(lines[0]?.by).toBe('moderator');
});

it('nobody answers the last line of a chapter, nor another one of its turn', () => {
  for (const { lines } of chapters) {
    expect(answerOf('moderator', lines.at(-1)?.text ?? '')).toBeUndefined();
    expect(answerOf('contractor', lines[0]?.text ?? '')).toBeUndefined();
  }
});
