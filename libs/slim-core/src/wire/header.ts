import {
  bool,
  message,
  optionalBool,
  optionalBytes,
  optionalUint64,
  string,
  sub,
  uint32,
  uint64,
  type Infer,
} from './schema.js';
import { wireName } from './wire-name.js';

// message SLIMHeader (reference: data plane 2.3). recv_from and forward_to steer a node's own tables
// and are never sent by us; incoming_conn is a number of the sender that means nothing here.
export const slimHeader = message({
  source: sub(1, wireName),
  destination: sub(2, wireName),
  identity: string(3),
  fanout: uint32(4),
  version: string(5),
  ttl: uint32(6),
  receivedFrom: optionalUint64(7),
  forwardTo: optionalUint64(8),
  incomingConnection: optionalUint64(9),
  error: optionalBool(10),
  headerMac: optionalBytes(11),
  headerSignature: optionalBytes(12),
});
export type SlimHeader = Infer<typeof slimHeader>;

/** Deliver to one connection, or to every one that matches (reference: data plane 2.3). */
export const fanout = { one: 1, all: 256 } as const;

/** Hops a new message may take. */
export const initialTtl = 8;

/** What this implementation writes as its SLIM version. */
export const slimVersion = '2.3.0';

// message Subscribe / Unsubscribe { SLIMHeader header = 1; uint64 subscription_id = 2; }
export const subscription = message({ header: sub(1, slimHeader), id: uint64(2) });
export type Subscription = Infer<typeof subscription>;

// message SubscriptionAck { uint64 subscription_id = 1; bool success = 2; string error = 3; }
export const subscriptionAck = message({ id: uint64(1), success: bool(2), error: string(3) });
export type SubscriptionAck = Infer<typeof subscriptionAck>;
