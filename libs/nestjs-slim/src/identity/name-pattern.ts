import { SlimError, SlimName } from '@nestjs-slim/core';

/** Whether a text is a name that the pattern means. */
export type NamePattern = (name: string) => boolean;

/**
 * Reads `org/namespace/service`, where `*` stands for any one part.
 * @throws SlimError `invalid-name`
 */
export function namePattern(text: string): NamePattern {
  const { components, isInstance } = parse(text);
  if (text.includes('#')) throw invalid(text, 'a rule is for senders, which have no operation');
  if (isInstance) throw invalid(text, 'a rule is for a service, not for one instance');
  if (components.some((part) => part !== '*' && part.includes('*'))) {
    throw invalid(text, '"*" stands for a whole part');
  }
  return (name) => {
    const parts = name.split('/');
    return (
      parts.length === components.length &&
      components.every((part, at) => (part === '*' ? parts[at] !== '' : part === parts[at]))
    );
  };
}

function parse(text: string): SlimName {
  try {
    return SlimName.parse(text);
  } catch (reason) {
    throw invalid(text, 'expected org/namespace/service, "*" for any one part', reason);
  }
}

function invalid(text: string, why: string, cause?: unknown): SlimError {
  return new SlimError('invalid-name', `not a pattern of names: "${text}"; ${why}`, { cause });
}
