import type { LinkDialler } from '@nestjs-slim/core';
import { http2Dialler } from '@nestjs-slim/platform-node';
import { SlimFabric } from 'nestjs-slim/testing';
import { startNode } from '../support/party.js';

/** Something with a node in it that applications can dial. */
export interface Network {
  readonly node: LinkDialler;
  stop(): Promise<void>;
}

/** Every network that scenarios are played over. */
export const networks = {
  'the fabric': async (): Promise<Network> => {
    const fabric = await SlimFabric.start();
    const { node } = fabric.options('acme/tests/any');
    return { node: node as LinkDialler, stop: () => fabric.close() };
  },
  'our node': () => listening('our node'),
  'an official node': () => listening('the official node'),
} satisfies Readonly<Record<string, () => Promise<Network>>>;

export type NetworkName = keyof typeof networks;

/** For scenarios that need nothing of the node but that it routes. */
export const everyNetwork: readonly NetworkName[] = ['the fabric', 'our node', 'an official node'];

/** For scenarios about what happens in this process. */
export const ourNetworks: readonly NetworkName[] = ['the fabric', 'our node'];

async function listening(which: keyof typeof startNode): Promise<Network> {
  const { url, stop } = await startNode[which]();
  return { node: http2Dialler(url), stop };
}
