// Our routing node; the official one is the native peer of the interop suite.

import { SlimNode } from '@nestjs-slim/platform-node';
import { serve } from '../harness/serve.mjs';
import { memoryUse } from './memory-use.mjs';

serve({
  async node({ port }) {
    const { url } = await SlimNode.start({ listen: { host: '127.0.0.1', port } });
    return { url };
  },

  memory: memoryUse,
});
