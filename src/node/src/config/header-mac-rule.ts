import type { Peers, StaticPeer } from './schema/client.js';
import type { Service } from './schema/config-file.js';

/** The peers that a file lists. */
export function staticPeers(peers: Peers | undefined): readonly StaticPeer[] {
  return peers?.discovery.type === 'static' ? peers.discovery.peers : [];
}

/** What the first server says holds for all links, as in the official node; without one the first client. */
export function requiresHeaderMac({ dataplane, peers }: Service): boolean {
  const [first] = [
    ...(dataplane?.servers ?? []),
    ...(dataplane?.clients ?? []),
    ...staticPeers(peers),
  ];
  return first?.require_header_mac ?? true;
}
