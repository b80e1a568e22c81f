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
export type { PlaceholderResolver } from './placeholders.js';
export { SlimClient, type SlimClientOptions } from './slim-client.js';
export { SlimConnection } from './slim-connection.js';
export { SlimContext, type SlimContextDetails } from './slim-context.js';
export type { SlimEvents, SlimStatus } from './slim-events.js';
export { slimMicroservice } from './slim-microservice.js';
export {
  SlimModule,
  type SlimClientEntry,
  type SlimModuleAsyncOptions,
  type SlimModuleOptions,
  type SlimOptionsFactory,
} from './slim.module.js';
export type { SlimOptions } from './slim-options.js';
export { SlimIdentity, SlimMetadata, SlimSession, SlimSource } from './slim-parameters.js';
export { SlimRecord, SlimRecordBuilder } from './slim-record.js';
export { SLIM_TRANSPORT, SlimServer, type SlimServerBehaviour } from './slim-server.js';
export {
  SlimError,
  SlimName,
  jwt,
  sharedSecret,
  type ChannelParticipant,
  type Invitation,
  type InvitationPolicy,
  type JwtAlgorithm,
  type JwtKey,
  type JwtKeySet,
  type JwtOptions,
} from '@nestjs-slim/core';
export { SlimNode, type SlimApp } from '@nestjs-slim/platform-node';
