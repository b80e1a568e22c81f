import { connect } from 'node:net';
import { once } from 'node:events';
import { names } from './billing/names.js';
import { settings } from './settings.js';
import { SlimClient } from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';

// The health of one container: `healthcheck.js tcp HOST:PORT`, `http URL` or `invoices`.
const [kind = '', target = ''] = process.argv.slice(2);

const checks: Readonly<Record<string, () => Promise<void>>> = {
  tcp: async () => {
    const [host, port] = target.split(':');
    const socket = connect({ host: host ?? '', port: Number(port) });
    await once(socket, 'connect');
    socket.destroy();
  },
  http: async () => {
    const response = await fetch(target);
    if (!response.ok) throw new Error(`${target} answered ${response.status}`);
  },
  invoices: async () => {
    const client = new SlimClient({ ...settings, name: 'acme/shop/healthcheck' });
    try {
      await firstValueFrom(client.send(names.invoices, {}));
    } finally {
      await client.close();
    }
  },
};

const check = checks[kind];
if (!check) throw new Error(`expected ${Object.keys(checks).join(', ')}, got "${kind}"`);
await check();
