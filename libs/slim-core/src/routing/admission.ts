import { SlimError } from '../errors/slim-error.js';
import type { Negotiated } from '../link/negotiation.js';
import { connectionType } from '../wire/link-message.js';

/** Which node judges. */
export interface Admission {
  readonly nodeId: string;
  /** Undefined lets in replicas of any deployment, as an official node without one does. */
  readonly deploymentName: string | undefined;
}

/** Why a replica does not belong to us; undefined when it does (reference: data plane 3.6). */
export function refusalOfPeer(
  { nodeId, deploymentName }: Admission,
  { connectionType: type, peerNodeId, peerDeployment }: Negotiated,
): SlimError | undefined {
  if (type !== connectionType.peer) return undefined;
  if (peerNodeId === nodeId) {
    return new SlimError('refused', 'self-connection rejected: same node_id');
  }
  if (deploymentName === undefined || deploymentName === peerDeployment) return undefined;
  return new SlimError('refused', 'deployment_name mismatch');
}
