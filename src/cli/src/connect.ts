import { sharedSecret, SlimError, unlessAborted, type InvitationPolicy } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';
import type { CommandLine } from './command-line.js';
import { log } from './output.js';

const defaultNode = 'http://127.0.0.1:46357';

/** How a command connects. */
export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** Decides on invitations; none is accepted unless given. */
  readonly accept?: InvitationPolicy;
  /** Told, for people, what becomes of the link. */
  readonly report?: (text: string) => void;
}

/** What proves the identity. @throws SlimError `invalid-config` when there is none */
export function secretOf(line: CommandLine): string {
  const secret = line.text('secret') ?? process.env.SLIM_SECRET;
  if (secret !== undefined) return secret;
  throw new SlimError('invalid-config', 'expected --secret TEXT or SLIM_SECRET, got neither');
}

/** Connects as the application that the common options describe. */
export async function connect(
  line: CommandLine,
  defaultName: string,
  { signal, accept = () => false, report = log }: ConnectOptions,
): Promise<SlimApp> {
  const app = await SlimApp.connect({
    name: line.text('name') ?? defaultName,
    identity: sharedSecret({ secret: secretOf(line) }),
    node: line.text('node') ?? defaultNode,
    signal,
    accept,
  });
  app.on('status', ({ status, reason }) =>
    report(`link ${status}${reason ? `: ${reason.message}` : ''}`),
  );
  app.on('dropped', ({ code, message }) => report(`refused a message: ${code}: ${message}`));
  return app;
}

/** Connects as an application that is found as the command line's NAME, whatever name of its own it has. */
export async function connectAsTarget(
  line: CommandLine,
  options: ConnectOptions,
): Promise<SlimApp> {
  const app = await connect(line, line.target, options);
  if (line.text('name') === undefined) return app;
  try {
    await unlessAborted(options.signal, app.subscribe(line.target));
    return app;
  } catch (reason) {
    await app.close();
    throw reason;
  }
}
