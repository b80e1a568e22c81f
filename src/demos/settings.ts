import { sharedSecret } from 'nestjs-slim';

/** Every service of the demos reads the same things from its environment. */
export const settings = {
  node: process.env.SLIM_NODE ?? 'http://127.0.0.1:46357',
  identity: sharedSecret({
    secret: process.env.SLIM_SECRET ?? 'a demo secret, known to all of its services',
  }),
  httpPort: Number(process.env.PORT ?? 3000),
};

/** Where a node of the demos listens: `host` and `port`. */
export function listenAddress(): { readonly host: string; readonly port: number } {
  const [host = '', port = '46357'] = (process.env.SLIM_LISTEN ?? '127.0.0.1:46357').split(':');
  return { host, port: Number(port) };
}

/** A line of the story, for whoever reads the output of the process. */
export function tell(who: string, what: string): void {
  process.stdout.write(`[${who}] ${what}\n`);
}
