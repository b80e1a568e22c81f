import { sharedSecret } from 'nestjs-slim';

/** Every service of the demo reads the same three things from its environment. */
export const settings = {
  node: process.env.SLIM_NODE ?? 'http://127.0.0.1:46357',
  identity: sharedSecret({
    secret: process.env.SLIM_SECRET ?? 'a demo secret, known to all of its services',
  }),
  httpPort: Number(process.env.PORT ?? 3000),
};

export const names = {
  gateway: 'acme/shop/gateway',
  invoices: 'acme/billing/invoices',
} as const;

/** A line of the story, for whoever reads the output of the process. */
export function tell(who: string, what: string): void {
  process.stdout.write(`[${who}] ${what}\n`);
}
