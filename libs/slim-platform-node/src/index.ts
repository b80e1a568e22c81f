export { SlimApp, type NodeAddress, type SlimAppOptions } from './slim-app.js';
export { SlimNode, type NodeListen, type OpenListener, type SlimNodeOptions } from './slim-node.js';
export type {
  CloseOptions,
  ConnectOptions,
  DropEvent,
  LinkEvent,
  LinkSnapshot,
  NodeCounters,
  NodeEvents,
  NodeLimits,
  NodePeers,
  NodeSnapshot,
  OutgoingLink,
  PeerNode,
  RefusedEvent,
  RouteSnapshot,
} from '@nestjs-slim/core';
export { nodeCrypto } from './node-crypto.js';
export { http2Dialler, type Http2DiallerOptions } from './http2-dialler.js';
export { listenHttp2, type Http2ListenerOptions } from './http2-listener.js';
export type { DiallerOptions } from './dialler-options.js';
export type { ListenAddress, ListenerOptions, ListenerSettings } from './listener-options.js';
export type { DiallerTls, ListenerTls, Pem, TlsVersion } from './tls/tls-options.js';
export { grpcJsDialler, type GrpcJsDiallerOptions } from './grpc-js-dialler.js';
export { listenGrpcJs, type GrpcJsListenerOptions } from './grpc-js-listener.js';
export { webSocketDialler, type WebSocketDiallerOptions } from './websocket-dialler.js';
export { listenWebSocket, type WebSocketListenerOptions } from './websocket-listener.js';
export type { LinkAuthenticator, LinkCredentials, LinkRequest } from './link-auth/link-auth.js';
export { basicAuthenticator, basicCredentials, type BasicAccount } from './link-auth/basic.js';
export {
  jwtAuthenticator,
  type JwtAuthenticator,
  type JwtAuthenticatorOptions,
} from './link-auth/jwt-authenticator.js';
export {
  jwtCredentials,
  staticTokenCredentials,
  tokenCredentials,
} from './link-auth/token-credentials.js';
export {
  oidcClientCredentials,
  type OidcClientCredentialsOptions,
  type TokenSource,
} from '@nestjs-slim/core';
export { fileTokenSource } from './tokens/file-token-source.js';
export { sqliteStore, type SqliteStoreOptions } from './store/sqlite-store.js';
export { spiffeBundleFile } from './tokens/spiffe-bundle.js';
export { watchedFile, type WatchedFileOptions } from './tokens/watched-file.js';
