import type { Role } from './names.js';

/** What somebody says once the line before it was said. */
export interface Line {
  readonly by: Role;
  readonly text: string;
}

/** A part of the discussion. The moderator says its first line, after a change of the membership. */
export interface Chapter {
  readonly title: string;
  readonly lines: readonly Line[];
}

const line = (by: Role, text: string): Line => ({ by, text });

export const chapters: readonly Chapter[] = [
  {
    title: 'The moderator invites, and the agents discuss the incident',
    lines: [
      line('moderator', 'Incident 7: checkout fails for every third customer. What do we see?'),
      line('triage', 'Errors since 14:02, when release 4.2 went out. Is it the database?'),
      line('database', 'Out of connections: 4.2 opens one for each request.'),
      line('contractor', 'That is my change, it dropped the pool. Going back to 4.1 cures it.'),
      line(
        'moderator',
        'Back on 4.1, customers can pay. Thanks, contractor; the rest is internal.',
      ),
    ],
  },
  {
    title: 'The contractor is removed, and the others go on',
    lines: [
      line('moderator', 'Among ourselves: did the error logs of 4.2 show any secret?'),
      line('database', 'Yes, the password of the payment database. I am changing it now.'),
      line('triage', 'The contractor had access to those logs until 15:10.'),
    ],
  },
  {
    title: 'Security joins late',
    lines: [
      line('moderator', 'Welcome, security. You see nothing of what was said; please audit today.'),
      line('security', 'I have read your welcome only. Whose access should I look at?'),
      line('triage', 'Everybody who opened the payment database since 14:02.'),
      line('security', 'Nobody but its own service did. No harm was done.'),
      line('moderator', 'Then incident 7 is closed. Thank you all.'),
    ],
  },
];

/** The last line that the contractor is to hear. */
export const farewell = chapters[0]?.lines.at(-1)?.text ?? '';

/** What somebody answers to a line; undefined when it is another's turn. */
export function answerOf(role: Role, heard: string): string | undefined {
  for (const { lines } of chapters) {
    const at = lines.findIndex(({ text }) => text === heard);
    const answer = at < 0 ? undefined : lines[at + 1];
    if (answer?.by === role) return answer.text;
  }
  return undefined;
}
