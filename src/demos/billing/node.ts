import { SlimNode } from 'nestjs-slim';
import { listenAddress, tell } from '../settings.js';

// A routing node that looks into everything it forwards: does it find the words that the services
// say to each other? An ordinary node is `slim node`.
const words = 'Analytical Engines';
const payloadType = 'application/vnd.nestjs-slim.v1';
const maxShown = 6;

const seen = { frames: 0, readable: 0 };
let shown = 0;

function look(frame: Uint8Array): void {
  const bytes = Buffer.from(frame);
  const readable = bytes.includes(words);
  seen.frames += 1;
  if (readable) seen.readable += 1;
  // The payload type is for nodes to read; the payload behind it is not.
  const at = bytes.indexOf(payloadType);
  if (at < 0 || (shown >= maxShown && !readable)) return;
  shown += 1;
  const end = bytes.subarray(-24).toString(readable ? 'latin1' : 'hex');
  tell('node', `forwarded ${bytes.length} bytes, ${readable ? 'READABLE' : 'ciphertext'}: …${end}`);
}

const node = await SlimNode.start({ listen: listenAddress(), onForward: look });
tell('node', `listens on ${node.url ?? ''}`);

const report = (): void => tell('node', `REPORT ${JSON.stringify(seen)}`);
process.on('SIGUSR2', report);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    report();
    void node.close();
  });
}
