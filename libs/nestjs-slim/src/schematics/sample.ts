/** How the application is connected, as a file. */
export function optionsFile(project: string): string {
  return `import { sharedSecret, type SlimOptions } from 'nestjs-slim';

/** How this application is connected to a SLIM network. */
export const slimOptions: SlimOptions = {
  name: 'acme/apps/${project}',
  node: process.env.SLIM_NODE ?? 'http://127.0.0.1:46357',
  // At least 32 bytes, the same in all applications that talk to each other.
  identity: sharedSecret({ secret: process.env.SLIM_SECRET ?? '' }),
};
`;
}

/** A controller with one handler, as a file. */
export const controllerFile = `import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { SlimContext } from 'nestjs-slim';

@Controller()
export class HelloController {
  @MessagePattern('hello')
  hello(@Payload() who: string, @Ctx() context: SlimContext): string {
    return \`hello \${who}, this is \${context.getName().service}\`;
  }
}
`;
