export { SlimError, type SlimErrorCode } from './errors/slim-error.js';
export { systemClock, type Cancel, type Clock } from './clock/clock.js';
export type { AgreementKey, Crypto, EcdhP256, SigningKeyPair } from './crypto/crypto.js';
export {
  maxFrameBytes,
  type Link,
  type LinkDialler,
  type LinkEvents,
  type LinkListener,
} from './link/link.js';
export { memoryLinkPair } from './link/memory-link.js';
export { SlimName, type NameComponents } from './names/slim-name.js';
export { formatId, nullId, parseId, type NameId } from './names/name-id.js';
export { loadNameHash } from './names/name-hash.js';
export { sharedSecret, type SharedSecretOptions } from './auth/shared-secret.js';
export { jwt, type JwtOptions } from './auth/jwt.js';
export type { JwtAlgorithm, JwtKey, JwtKeySet } from './auth/jwt-keys.js';
export type {
  Identity,
  IdentityContext,
  IdentityPair,
  IdentityProvider,
  IdentitySource,
  IdentityVerifier,
} from './auth/identity.js';
export {
  RoutingNode,
  type DropReason,
  type NodeCounters,
  type RoutingNodeOptions,
} from './routing/routing-node.js';
export { SlimApp, type SlimAppEvents, type SlimAppOptions } from './app/slim-app.js';
export type {
  Direction,
  DiscoverOptions,
  Invitation,
  InvitationPolicy,
  OpenSessionOptions,
} from './app/session-options.js';
export type {
  Channel,
  ChannelEvents,
  ChannelParticipant,
  InvitationResult,
} from './session/channel.js';
export type { LinkStatus } from './app/uplink.js';
export type { BackoffPolicy } from './app/backoff.js';
export type {
  Metadata,
  PublishOptions,
  Session,
  SessionMessage,
  WaitOptions,
} from './session/session.js';
export { defaultSessionPolicy, type SessionPolicy } from './session/session-policy.js';
