import { Logger, type LoggerService, type OnApplicationBootstrap } from '@nestjs/common';
import {
  Server,
  type BaseRpcContext,
  type CustomTransportStrategy,
  type MessageHandler,
  type ReadPacket,
} from '@nestjs/microservices';
import { SlimError } from '@nestjs-slim/core';
import { defer, finalize, lastValueFrom, tap, type Observable } from 'rxjs';
import { handlerStream } from './handler-stream.js';
import { HandlerTable } from './handler-table.js';
import { parsePattern, patternKey } from './pattern.js';
import type { ServerCall } from './server-call.js';
import type { SessionHost } from './served-session.js';
import { Serving } from './serving.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimEvents, SlimStatus } from './slim-events.js';
import type { SlimOptions } from './slim-options.js';

/** Names this transport: `@MessagePattern('…', SLIM_TRANSPORT)` is for SLIM servers only. */
export const SLIM_TRANSPORT: symbol = Symbol.for('slim');

/** How a server relates to the application it is part of. */
export interface SlimServerBehaviour {
  /** Let messages wait until Nest called `onApplicationBootstrap`, which only happens to providers. */
  readonly waitForBootstrap?: boolean;
}
