/** What a person in a channel wants with the line typed. */
export type TypedLine =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'invite'; readonly name: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'who' }
  | { readonly kind: 'help' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'nothing' }
  /** No command, or one that is written wrongly: `advice` says how it is meant. */
  | { readonly kind: 'mistake'; readonly advice: string };

/** What can be typed, a line each; short enough for narrow terminals. */
export const typedLineHelp = `/invite NAME   bring somebody in
/remove NAME   take somebody out
/who           who is here
/leave         leave (or Ctrl-C, Ctrl-D)
/help          show this
//TEXT         say a TEXT that begins with /
anything else is said to everybody`;

/** Tells commands, which begin with one slash, from what is said. */
export function parseTypedLine(line: string): TypedLine {
  const text = line.trim();
  if (text === '') return { kind: 'nothing' };
  if (text.startsWith('//')) return { kind: 'say', text: text.slice(1) };
  if (!text.startsWith('/')) return { kind: 'say', text };
  const [verb = '', ...words] = text.split(/\s+/);
  switch (verb) {
    case '/invite':
      return named('invite', words);
    case '/remove':
      return named('remove', words);
    case '/who':
      return bare('who', words);
    case '/help':
      return bare('help', words);
    case '/leave':
      return bare('leave', words);
    default:
      return { kind: 'mistake', advice: `there is no ${verb}; /help shows what there is` };
  }
}

function named(kind: 'invite' | 'remove', [name, ...rest]: readonly string[]): TypedLine {
  if (name !== undefined && rest.length === 0) return { kind, name };
  return { kind: 'mistake', advice: `/${kind} takes one NAME: org/namespace/service` };
}

function bare(kind: 'who' | 'help' | 'leave', words: readonly string[]): TypedLine {
  return words.length === 0 ? { kind } : { kind: 'mistake', advice: `/${kind} takes nothing more` };
}
