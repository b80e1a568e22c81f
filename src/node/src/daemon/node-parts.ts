import type { NodeLimits } from '@nestjs-slim/core';
import type { SlimNodeOptions } from '@nestjs-slim/platform-node';
import { requiresHeaderMac } from '../config/header-mac-rule.js';
import type { NodeConfig } from '../config/node-config.js';
import { defined } from './defined.js';
import { clientsOf, diallerOf, type Dialled } from './diallers.js';
import type { FileErrors, OnFileError } from './file-errors.js';
import { listenersOf } from './listeners.js';
import type { Owned } from './owned.js';

/** What a node is made of. */
export interface NodeParts extends SlimNodeOptions {
  /** Links that it keeps up itself. */
  readonly clients: readonly Dialled[];
}

/**
 * Turns a configuration into what a node is made of; authenticators and credentials are put into `owned`.
 * @throws SlimError `invalid-config`
 */
export async function nodeParts(
  config: NodeConfig,
  owned: Owned,
  fileErrors: FileErrors,
): Promise<NodeParts> {
  const { node_id: nodeId } = config.service;
  const peers = await peersOf(config, owned, fileErrors.tls);
  return {
    ...defined({ nodeId, peers }),
    requireHeaderMac: requiresHeaderMac(config.service),
    limits: limitsOf(config),
    listen: await listenersOf(config, owned, fileErrors),
    clients: await clientsOf(config, owned, fileErrors.tls),
  };
}

function limitsOf({ service: { dataplane }, nestjs_slim: own }: NodeConfig): Partial<NodeLimits> {
  const seconds = dataplane?.servers?.[0]?.negotiation_timeout_secs;
  const limits = own?.limits ?? {};
  return defined({
    maxLinks: limits.max_links,
    maxSubscriptionsPerLink: limits.max_subscriptions_per_link,
    stallMs: limits.stall?.ms,
    deadMs: limits.dead?.ms,
    negotiationTimeoutMs: seconds === undefined ? undefined : seconds * 1000,
  });
}

async function peersOf(
  config: NodeConfig,
  owned: Owned,
  onTlsError: OnFileError,
): Promise<SlimNodeOptions['peers']> {
  const { peers, domain_name: domain, node_id: own } = config.service;
  if (peers?.discovery.type !== 'static') return undefined;
  const deploymentName = peers.deployment_name ?? domain;
  const nodes = [];
  for (const { node_id: nodeId, ...client } of peers.discovery.peers) {
    // All replicas may share one file, so one of the entries is this node.
    if (nodeId === own) continue;
    nodes.push({ nodeId, dialler: await diallerOf(client, config, owned, onTlsError) });
  }
  return { nodes, ...defined({ deploymentName }) };
}
