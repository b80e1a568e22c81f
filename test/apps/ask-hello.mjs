// Run in the folder of an application that `nest add nestjs-slim` extended: starts a node and the
// application, and asks it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SlimClient, SlimNode, sharedSecret } from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';

const secret = 'a secret that only the fresh application and its caller share';

const node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
const app = spawn(process.execPath, ['dist/main.js'], {
  env: { ...process.env, PORT: '0', SLIM_NODE: node.url, SLIM_SECRET: secret },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(app, 'exit');
try {
  await started();
  const client = new SlimClient({
    name: 'acme/apps/caller',
    node: node.url,
    identity: sharedSecret({ secret }),
  });
  const answer = await firstValueFrom(client.send('acme/apps/fresh#hello', 'Ada'));
  assert.equal(answer, 'hello Ada, this is acme/apps/fresh');
  await client.close();
} finally {
  app.kill();
  await ended;
  await node.close();
}

async function started() {
  for await (const line of createInterface({ input: app.stdout })) {
    if (line.includes('Nest application successfully started')) return;
  }
  throw new Error('the application ended before it was up');
}
