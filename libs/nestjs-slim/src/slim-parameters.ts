import {
  createParamDecorator,
  type ExecutionContext,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import type { SlimContext } from './slim-context.js';

type Pipe = Type<PipeTransform> | PipeTransform;

// The types are written out because those that Nest 12 infers do not exist in Nest 11.

/** The full name of who sent the message, came or left: `SlimContext.getSource`. */
export const SlimSource: (...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (_: unknown, host: ExecutionContext) => contextOf(host).getSource?.(),
);

/** What the verified token of the sender says; undefined where there is no message. */
export const SlimIdentity: (...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (_: unknown, host: ExecutionContext) => contextOf(host).getIdentity?.(),
);

/** The session, or the channel, that the message came by. */
export const SlimSession: (...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (_: unknown, host: ExecutionContext) => contextOf(host).getSession?.(),
);

/** What the sender attached: all of it, or the value of one key. */
export const SlimMetadata: (key?: string, ...pipes: Pipe[]) => ParameterDecorator =
  createParamDecorator((key: string | undefined, host: ExecutionContext) => {
    const metadata = contextOf(host).getMetadata?.();
    return key === undefined ? metadata : metadata?.[key];
  });

/** What the wildcards of the pattern stand for: all of it, or one by its name. */
export const SlimParam: (name?: string, ...pipes: Pipe[]) => ParameterDecorator =
  createParamDecorator((name: string | undefined, host: ExecutionContext) => {
    const params = contextOf(host).getParams?.();
    return name === undefined ? params : params?.[name];
  });

/** Aborted when nobody waits for the answer any more: `SlimContext.getSignal`. */
export const SlimSignal: (...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (_: unknown, host: ExecutionContext) => contextOf(host).getSignal?.(),
);

/** Told by methods: a handler may serve other transports, and joined and left have no message. */
function contextOf(host: ExecutionContext): Partial<SlimContext> {
  return host.switchToRpc().getContext<Partial<SlimContext> | undefined>() ?? {};
}
