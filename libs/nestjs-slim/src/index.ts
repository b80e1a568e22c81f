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
export { SlimRecord, SlimRecordBuilder } from './slim-record.js';
export { SLIM_TRANSPORT, SlimServer, type SlimServerBehaviour } from './slim-server.js';
export { SlimError, SlimName, sharedSecret } from '@nestjs-slim/core';
export { SlimNode, type SlimApp } from '@nestjs-slim/platform-node';
