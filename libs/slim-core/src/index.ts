export { SlimError, type SlimErrorCode } from './errors/slim-error.js';
export { unlessAborted } from './errors/unless-aborted.js';
export { systemClock, type Cancel, type Clock } from './clock/clock.js';
export type { AgreementKey, Crypto, EcdhP256, SigningKeyPair } from './crypto/crypto.js';
export {
  maxFrameBytes,
  type Link,
  type LinkDialler,
  type LinkEvents,
  type LinkListener,
} from './link/link.js';
export { LinkDelivery } from './link/link-delivery.js';
export { memoryLinkPair } from './link/memory-link.js';
export { SlimName, type NameComponents } from './names/slim-name.js';
export { formatId, nullId, parseId, type NameId } from './names/name-id.js';
export { loadNameHash } from './names/name-hash.js';
export { sharedSecret, type SharedSecretOptions } from './auth/shared-secret.js';
export { jwt, type JwtOptions } from './auth/jwt.js';
export type { JwtAlgorithm, JwtKey, JwtKeySet } from './auth/jwt-keys.js';
export type { TextSource } from './auth/fed-keys.js';
export type { JwtIssuers, JwtKeyText, JwtKeyUrl, JwtVerificationKey } from './auth/key-source.js';
export {
  jwtSignatures,
  jwtSigner,
  type JwtSignatures,
  type JwtSignerOptions,
} from './auth/jwt-tools.js';
export {
  oidcClientCredentials,
  type OidcClientCredentialsOptions,
} from './auth/oidc-client-credentials.js';
export { readToken, type TokenClaims, type UnverifiedToken } from './auth/signed-tokens.js';
export type { TokenSource } from './auth/token-source.js';
export type { Fetch, FetchRequest, FetchResponse, WebOptions } from './auth/web-request.js';
export {
  workloadAudience,
  workloadIdentity,
  type KeyPairSource,
  type WorkloadIdentityOptions,
} from './auth/workload-identity.js';
export type {
  Identity,
  IdentityContext,
  IdentityPair,
  IdentityProvider,
  IdentitySource,
  IdentityVerifier,
  KeptIdentity,
} from './auth/identity.js';
export { RoutingNode } from './routing/routing-node.js';
export type {
  CloseOptions,
  ConnectOptions,
  NodePeers,
  PeerNode,
  RoutingNodeOptions,
} from './routing/node-options.js';
export { defaultNodeLimits, type NodeLimits } from './routing/node-limits.js';
export type { OutgoingLink, OutgoingStatus } from './routing/outgoing-link.js';
export type {
  DropReason,
  LinkDirection,
  LinkSnapshot,
  NodeCounters,
  NodeSnapshot,
  NodeState,
  RouteSnapshot,
} from './routing/node-snapshot.js';
export type { DropEvent, LinkEvent, NodeEvents, RefusedEvent } from './routing/node-events.js';
export type {
  StateChange,
  StateRecord,
  StateStore,
  StateStoreSource,
  WriteOptions,
} from './store/state-store.js';
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
export type { BackoffPolicy } from './link/backoff.js';
export type {
  Metadata,
  PublishOptions,
  Session,
  SessionMessage,
  WaitOptions,
} from './session/session.js';
export { defaultSessionPolicy, type SessionPolicy } from './session/session-policy.js';
