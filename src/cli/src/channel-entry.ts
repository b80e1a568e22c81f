import type { Channel } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import type { CommandLine } from './command-line.js';
import { connectAsTarget, type ConnectOptions } from './connect.js';

/** Who creates a channel, unless `--name` says so. */
export const defaultModerator = 'slim/cli/moderator';

/** Creates the channel that the command line names. */
export function createChannel(app: SlimApp, line: CommandLine): Promise<Channel> {
  const discoveryMs = line.count('timeout', 1);
  return app.createChannel(line.target, {
    mls: line.flag('mls', true),
    reliable: line.flag('reliable', true),
    ...(discoveryMs !== undefined && { discoveryMs }),
  });
}

/** Connects as an application that can be invited as the command line's NAME. */
export function connectToJoin(line: CommandLine, options: ConnectOptions): Promise<SlimApp> {
  return connectAsTarget(line, {
    ...options,
    accept: (invitation) => invitation.channel !== undefined,
  });
}

/** The first channel that the application is invited to; absent when it is closed before. */
export async function invitedChannel(app: SlimApp): Promise<Channel | undefined> {
  for await (const invited of app.sessions()) if (invited.kind === 'channel') return invited;
  return undefined;
}
