import { sharedSecret, SlimError, type InvitationPolicy } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';
import type { CommandLine } from './command-line.js';
import { log } from './output.js';

const defaultNode = 'http://127.0.0.1:46357';

/**
 * Connects as the application that the common options describe. It joins nothing unless `accept` says
 * so.
 */
export async function connect(
  line: CommandLine,
  defaultName: string,
  { signal, accept = () => false }: { signal: AbortSignal; accept?: InvitationPolicy },
): Promise<SlimApp> {
  const secret = line.text('secret') ?? process.env.SLIM_SECRET;
  if (secret === undefined) {
    throw new SlimError('invalid-config', 'expected --secret TEXT or SLIM_SECRET, got neither');
  }
  const app = await SlimApp.connect({
    name: line.text('name') ?? defaultName,
    identity: sharedSecret({ secret }),
    node: line.text('node') ?? defaultNode,
    signal,
    accept,
  });
  app.on('status', ({ status, reason }) =>
    log(`link ${status}${reason ? `: ${reason.message}` : ''}`),
  );
  app.on('dropped', ({ code, message }) => log(`refused a message: ${code}: ${message}`));
  return app;
}
