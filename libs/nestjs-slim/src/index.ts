export {
  ChannelClosed,
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  ParticipantLeft,
  SlimChannel,
} from './channels/channel-decorators.js';
export type { SlimChannelOptions } from './channels/channel-marks.js';
export {
  SlimChannelContext,
  type SlimChannelContextDetails,
} from './channels/slim-channel-context.js';
export {
  SlimChannelRef,
  type SlimChannelMessage,
  type SlimPublishOptions,
} from './channels/slim-channel-ref.js';
export { AllowFromGuard } from './identity/allow-from.guard.js';
export { AllowFrom } from './identity/allow-from.js';
export type {
  AllowFromPredicate,
  AllowFromRule,
  AllowFromUnsealed,
} from './identity/allow-rule.js';
export type { DeliveryMode } from './client/delivery.js';
export type { Gathered, SendAllOptions } from './client/gathering.js';
export { HttpExceptionsFilter } from './http-exceptions.filter.js';
export type { PacketDeserializer, PacketSerializer } from './payload/payloads.js';
export type { PlaceholderResolver } from './patterns/placeholders.js';
export type { PayloadCodec } from './payload-codec.js';
export { SlimClient, type SlimClientOptions } from './slim-client.js';
export { SlimConnection } from './slim-connection.js';
export { SlimContext, type SlimContextDetails } from './slim-context.js';
export type { SlimEvents, SlimStatus } from './slim-events.js';
export {
  SlimException,
  type SlimExceptionBody,
  type SlimExceptionDetails,
} from './slim-exception.js';
export { slimMicroservice } from './slim-microservice.js';
export {
  SlimModule,
  type SlimClientEntry,
  type SlimModuleAsyncOptions,
  type SlimModuleOptions,
  type SlimOptionsFactory,
} from './slim.module.js';
export type { SlimOptions } from './slim-options.js';
export {
  SlimIdentity,
  SlimMetadata,
  SlimParam,
  SlimSession,
  SlimSignal,
  SlimSource,
} from './slim-parameters.js';
export { SlimRecord, SlimRecordBuilder, type SlimRecordOptions } from './slim-record.js';
export { SLIM_TRANSPORT, SlimServer, type SlimServerBehaviour } from './slim-server.js';
export type { ItemStream } from './streams/item-stream.js';
export type { ItemSource } from './streams/pull.js';
export type {
  ExchangeFailure,
  ExchangeKind,
  Handling,
  OutgoingMessage,
  Sending,
  SlimTelemetry,
} from './telemetry.js';
export {
  SlimError,
  SlimName,
  jwt,
  sharedSecret,
  workloadAudience,
  workloadIdentity,
  type Channel,
  type ChannelParticipant,
  type Identity,
  type Invitation,
  type InvitationPolicy,
  type JwtAlgorithm,
  type JwtKey,
  type JwtKeySet,
  type JwtOptions,
  type JwtVerificationKey,
  type Metadata,
  type Session,
  type SessionMessage,
  type TokenSource,
  type WorkloadIdentityOptions,
} from '@nestjs-slim/core';
export {
  SlimNode,
  sqliteStore,
  type SlimApp,
  type SqliteStoreOptions,
} from '@nestjs-slim/platform-node';
