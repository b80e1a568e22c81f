import { describe, expect, it } from '@jest/globals';
import { connectInMain } from './connect-in-main.js';

const connect = 'connectMicroservice(slimMicroservice(), { inheritAppConfig: true });';

describe('connectInMain', () => {
  it('starts the microservice after all that is set, before the application listens', () => {
    const main = `async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  app.useGlobalPipes(new ValidationPipe());
  await app.listen(process.env.PORT ?? 3000);
}
`;
    expect(connectInMain(main)).toBe(`async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  app.useGlobalPipes(new ValidationPipe());
  app.${connect}
  await app.startAllMicroservices();
  await app.listen(process.env.PORT ?? 3000);
}
`);
  });

  it('is started along with the microservices that are there', () => {
    const main = `const server = await NestFactory.create<NestExpressApplication>(AppModule);
server.connectMicroservice({ transport: Transport.TCP });
await server.startAllMicroservices();
await server.listen(3000);
`;
    expect(connectInMain(main)).toBe(
      main.replace('await server.start', `server.${connect}\nawait server.start`),
    );
  });

  it('finds the application when listening gives a value', () => {
    const main =
      'const app = await NestFactory.create(A);\nconst server = await app.listen(3000);\n';
    expect(connectInMain(main)).toContain(
      `${connect}\nawait app.startAllMicroservices();\nconst s`,
    );
  });

  it.each([
    ['makes a microservice', 'const app = await NestFactory.createMicroservice(A, {});'],
    ['does not listen', 'const app = await NestFactory.create(A);\nawait app.init();'],
    ['has the application as a promise', 'NestFactory.create(A).then((app) => app.listen(3000));'],
  ])('answers with nothing for a program that %s', (_, main) => {
    expect(connectInMain(main)).toBeUndefined();
  });
});
