import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { SlimServer } from './slim-server.js';

/**
 * What `NestFactory.createMicroservice` and `connectMicroservice` take to serve with the `SlimServer` of
 * `SlimModule`: `createMicroservice(AppModule, slimMicroservice())`.
 */
export function slimMicroservice(): AsyncMicroserviceOptions {
  return {
    inject: [SlimServer],
    // In preview mode nothing is instantiated and the server is undefined; nothing here may touch it.
    useFactory: (server: SlimServer) => ({ strategy: server }),
  };
}
