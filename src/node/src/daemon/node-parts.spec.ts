import { describe, expect, it } from '@jest/globals';
import { samples } from '../config/testing/samples.js';
import { valid } from '../config/testing/verdict.js';
import { nodeParts, type NodeParts } from './node-parts.js';
import { Owned } from './owned.js';

const ignored = (): void => undefined;

async function partsOf(text: string): Promise<NodeParts> {
  const owned = new Owned();
  const parts = await nodeParts(valid(text).config, owned, { tls: ignored, keySet: ignored });
  await owned.close();
  return parts;
}

describe('nodeParts', () => {
  it('has the limits of the file, and none that are not in it', async () => {
    const { limits } = await partsOf(samples['our own section'] ?? '');
    expect(limits).toStrictEqual({
      maxLinks: 500,
      maxSubscriptionsPerLink: 10_000,
      stallMs: 250,
      deadMs: 30_000,
    });
  });

  it('has a listener for each server', async () => {
    const { listen } = await partsOf(samples['several servers, of both transports'] ?? '');
    expect(listen).toHaveLength(4);
  });

  it('has the other replicas, of the deployment that the domain names', async () => {
    const { nodeId, peers } = await partsOf(samples['replicas that know each other'] ?? '');
    expect(nodeId).toBe('slim-1');
    expect(peers?.deploymentName).toBe('east');
    const dialled = peers?.nodes?.map((peer) => [peer.nodeId, peer.dialler.target]);
    expect(dialled).toStrictEqual([['slim-2', 'http://slim-2:46357']]);
  });

  it.each([
    [
      'require_header_mac: false, negotiation_timeout_secs: 7',
      false,
      { negotiationTimeoutMs: 7_000 },
    ],
    ['require_header_mac: true', true, {}],
    ['http2_only: true', true, {}],
  ])('takes from the first server for all links: %s', async (more, requireHeaderMac, limits) => {
    const server = `{ endpoint: "a:1", tls: { insecure: true }, ${more} }`;
    const parts = await partsOf(`services: { slim/0: { dataplane: { servers: [${server}] } } }`);
    expect(parts).toMatchObject({ requireHeaderMac, limits });
  });
});
