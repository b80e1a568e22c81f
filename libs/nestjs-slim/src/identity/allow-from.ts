import { SetMetadata, UseGuards, applyDecorators } from '@nestjs/common';
import { allowFromKey, AllowFromGuard } from './allow-from.guard.js';
import { readRules, type AllowFromRule } from './allow-rule.js';

/**
 * Lets a message reach the handler, or the handlers of the class, only when one of the rules holds for the
 * verified identity of its sender; others fail with `permission-denied`. Rules of a method replace those of
 * its class. Messages of other transports, which verify nobody, are refused; what is no message passes.
 * @throws SlimError `invalid-config`, `invalid-name`
 */
export function AllowFrom(...rules: readonly AllowFromRule[]): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(allowFromKey, readRules(rules)), UseGuards(AllowFromGuard));
}
