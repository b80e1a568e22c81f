import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { SlimServer } from './slim-server.js';

/**
 * What `NestFactory.createMicroservice` and `connectMicroservice` take to serve with the `SlimServer` of
 * `SlimModule`: `createMicroservice(AppModule, slimMicroservice())`. `autoFlushLogs` has to be given here:
 * beside an asynchronous strategy Nest does not look at it.
 */
export function slimMicroservice(
  options: { readonly autoFlushLogs?: boolean } = {},
): AsyncMicroserviceOptions {
  return {
    ...options,
    inject: [SlimServer],
    // In preview mode nothing is instantiated and the server is undefined; nothing here may touch it.
    useFactory: (server: SlimServer) => ({ ...options, strategy: server }),
  };
}
