import { bool, bytes, message, optionalBytes, string, sub, uint32, type Infer } from './schema.js';

/** Who uses a link and how its messages are treated; the dialling side says which. */
export const connectionType = { remote: 0, peer: 1, edge: 2 } as const;
export type ConnectionType = (typeof connectionType)[keyof typeof connectionType];

// message LinkNegotiationPayload (reference: data plane 2.2, 3.3)
export const linkNegotiation = message({
  linkId: string(1),
  slimVersion: string(2),
  isReply: bool(3),
  publicKey: bytes(4),
  connectionType: uint32(5),
  nodeId: string(6),
  deploymentName: string(7),
  kemPayload: optionalBytes(8),
});
export type LinkNegotiation = Infer<typeof linkNegotiation>;

// message Link { LinkNegotiationPayload link_negotiation = 1; }
export const linkMessage = message({ negotiation: sub(1, linkNegotiation) });
