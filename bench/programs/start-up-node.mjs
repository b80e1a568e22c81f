// The command `slim node`, in a process that ends when the harness does.

import { serve } from '../harness/serve.mjs';

serve({
  async node({ port }) {
    const listen = `127.0.0.1:${port}`;
    process.argv.splice(2, Infinity, 'node', '--listen', listen);
    const main = new URL('../../src/cli/dist/main.js', import.meta.url);
    // Runs until the process ends, so it is not waited for.
    import(main.href).catch((reason) => {
      console.error(reason);
      process.exit(1);
    });
    return { url: `http://${listen}` };
  },
});
