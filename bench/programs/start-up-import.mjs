// Loads packages in the order given and tells how long the last of them took.
//   node start-up-import.mjs PACKAGE...

import { serve } from '../harness/serve.mjs';
import { nowMs } from './spell.mjs';

serve({
  async load() {
    const packages = process.argv.slice(2);
    const last = packages.pop() ?? '';
    for (const name of packages) await import(name);
    const startedAtMs = nowMs();
    await import(last);
    return { elapsedMs: nowMs() - startedAtMs };
  },
});
