import type { INestMicroservice, Type } from '@nestjs/common';
import { SlimError, type Link, type LinkDialler } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import type { SlimOptions } from '../slim-options.js';
import { billing, type Fabric } from './spec-fabric.js';

/** One instance of the service that specs serve. */
export interface Instance {
  /** Its full name. */
  readonly name: string;
  readonly app: INestMicroservice;
  /** Cuts it off for good: whoever talks to it is told nothing. */
  vanish(): void;
}

/** Notices within half a second that the other side vanished, and does not come back when cut off. */
export const impatient: Partial<SlimOptions> = {
  backoff: { firstMs: 60_000, maxMs: 60_000 },
  sessions: {
    heartbeatMs: 120,
    maxSilentIntervals: 3,
    intervalMs: 200,
    maxRetries: 10,
    closeMs: 200,
  },
  discoveryMs: 200,
};

/** A listening instance of the service, with a link of its own. */
export async function serveInstance(
  fabric: Fabric,
  controllers: readonly Type[],
  extra: Partial<SlimOptions> = {},
): Promise<Instance> {
  let link: Link | undefined;
  const inner = fabric.options(billing).node as LinkDialler;
  const dial = async (...args: Parameters<LinkDialler['dial']>): Promise<Link> =>
    (link = await inner.dial(...args));
  const node: LinkDialler = { target: inner.target, dial };
  const app = await fabric.serve({ controllers: [...controllers] }, { ...extra, node });
  const { name } = app.unwrap<SlimApp>();
  const vanish = (): void => link?.destroy(new SlimError('link-failed', 'cable cut'));
  return { name: String(name), app, vanish };
}
