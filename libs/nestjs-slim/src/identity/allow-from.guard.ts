import { Injectable, Logger, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { SlimChannelContext } from '../channels/slim-channel-context.js';
import { SlimContext } from '../slim-context.js';
import { SlimException } from '../slim-exception.js';
import { anyAllows, readRules, type AllowFromRule, type AllowRule } from './allow-rule.js';

/** Under which the decorator leaves its rules: a text, so that all copies of this package agree. */
export const allowFromKey = 'nestjs-slim:allow-from';

/** Applies the rules of `AllowFrom`, which brings it along. */
@Injectable()
export class AllowFromGuard implements CanActivate {
  private readonly logger = new Logger('AllowFromGuard');
  private otherwise: readonly AllowRule[] | undefined;

  constructor(private readonly reflector: Reflector) {}

  /**
   * A guard for a whole application: its rules are for SLIM messages whose handler has no rules of its own.
   * @throws SlimError `invalid-config`, `invalid-name`
   */
  static forAll(...rules: readonly AllowFromRule[]): AllowFromGuard {
    const guard = new AllowFromGuard(new Reflector());
    guard.otherwise = readRules(rules);
    return guard;
  }

  /** @throws SlimException `permission-denied`; it does not say what the rules are */
  async canActivate(host: ExecutionContext): Promise<boolean> {
    // HTTP requests and the like are no messages, and have guards that know how to tell who asks.
    if (host.getType() !== 'rpc') return true;
    const context = host.switchToRpc().getContext<unknown>();
    // Who came or left did not send anything.
    if (context instanceof SlimChannelContext) return true;
    const own = this.reflector.getAllAndOverride<readonly AllowRule[] | undefined>(allowFromKey, [
      host.getHandler(),
      host.getClass(),
    ]);
    return context instanceof SlimContext
      ? this.judge(context, own ?? this.otherwise)
      : this.judgeOther(own);
  }

  private async judge(
    context: SlimContext,
    rules: readonly AllowRule[] | undefined,
  ): Promise<boolean> {
    if (!rules || (await anyAllows(rules, context))) return true;
    const sender = JSON.stringify(context.getIdentity().subject);
    const how = context.getSession().mls ? '' : ', by a session without MLS';
    throw this.refusal(`${sender} may not send to "${context.getPattern()}"${how}`);
  }

  /** A message of TCP, Redis and so on: who has rules for its senders has not let these in. */
  private judgeOther(rules: readonly AllowRule[] | undefined): boolean {
    if (!rules) return true;
    throw this.refusal('a message of another transport has no verified sender');
  }

  /** The reason is for whoever runs this side. Senders can cause it at will, so it is no warning. */
  private refusal(reason: string): SlimException {
    this.logger.debug(`Refused: ${reason}.`);
    return new SlimException({ code: 'permission-denied', message: 'permission denied' });
  }
}
