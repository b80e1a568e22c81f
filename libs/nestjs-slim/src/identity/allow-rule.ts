import { SlimError, type Identity } from '@nestjs-slim/core';
import type { SlimContext } from '../slim-context.js';
import { namePattern, type NamePattern } from './name-pattern.js';

/** Decides on a sender by what its verified token says. Whatever is not `true` refuses. */
export type AllowFromPredicate = (
  identity: Identity,
  context: SlimContext,
) => boolean | Promise<boolean>;

/** A rule that holds without MLS too, where a node on the way can pretend to be the sender. */
export interface AllowFromUnsealed {
  readonly from: string | AllowFromPredicate;
  readonly mls: false;
}

/** Who may send: `org/namespace/service`, where `*` stands for any one part, or a function. */
export type AllowFromRule = string | AllowFromPredicate | AllowFromUnsealed;

/** A rule as it is applied. */
export interface AllowRule {
  readonly needsMls: boolean;
  readonly allows: AllowFromPredicate;
}

/** @throws SlimError `invalid-config` without a rule or for what is none, `invalid-name` for a bad pattern */
export function readRules(rules: readonly AllowFromRule[]): readonly AllowRule[] {
  if (rules.length === 0) {
    throw new SlimError('invalid-config', 'AllowFrom: expected at least one rule');
  }
  return rules.map(readRule);
}

/** True when one of the rules lets the sender of the message pass; in their order, one at a time. */
export async function anyAllows(
  rules: readonly AllowRule[],
  context: SlimContext,
): Promise<boolean> {
  const identity = context.getIdentity();
  const { mls } = context.getSession();
  for (const { needsMls, allows } of rules) {
    // Compared with true: a function of JavaScript gives anything.
    if ((mls || !needsMls) && (await allows(identity, context)) === true) return true;
  }
  return false;
}

function readRule(rule: AllowFromRule): AllowRule {
  // JavaScript callers give anything.
  const given: unknown = rule;
  if (typeof given === 'object' && given !== null && 'from' in given) {
    if ('mls' in given && given.mls === false) {
      return { needsMls: false, allows: readFrom(given.from) };
    }
    throw new SlimError('invalid-config', 'AllowFrom: expected { from, mls: false }');
  }
  return { needsMls: true, allows: readFrom(given) };
}

function readFrom(from: unknown): AllowFromPredicate {
  if (typeof from === 'function') return from as AllowFromPredicate;
  if (typeof from === 'string') return byName(namePattern(from));
  const kind = from === null ? 'null' : typeof from;
  throw new SlimError('invalid-config', `AllowFrom: expected a name or a function, got ${kind}`);
}

/** The source name of the message is not looked at: the sender writes there what it likes. */
function byName(matches: NamePattern): AllowFromPredicate {
  return (identity) => matches(identity.principal);
}
