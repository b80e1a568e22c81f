import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificate } from '../../support/certificates.js';
import { freePort } from '../../support/free-port.js';
import type { Keys } from '../parties/identities.js';
import { Gate } from './gate.js';
import { OfficialNode } from './official-node.js';
import { OurNode } from './our-node.js';
import { host } from './places.js';

const tls = { insecure: true };
const newSecret = (): string => randomBytes(32).toString('hex');

interface Ports {
  readonly plain: number;
  readonly tls: number;
  readonly websocket: number;
  readonly admin: number;
}

/** Two nodes of ours and, where it is installed, an official one, each a replica of the others. */
export interface Network {
  readonly keys: Keys;
  readonly nodes: readonly OurNode[];
  readonly official: OfficialNode | undefined;
  readonly gates: readonly Gate[];
  /** Addresses for parties, our nodes first; `plain` has the official one as well. */
  readonly urls: Readonly<Record<'plain' | 'tls' | 'websocket', readonly string[]>>;
  /** For those who want to do harm: the plain listeners of our nodes. */
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** What was started, to be ended. */
class Started {
  readonly nodes: OurNode[] = [];
  readonly gates: Gate[] = [];
  official: OfficialNode | undefined;

  async gate(name: string, port: number): Promise<Gate> {
    const gate = await Gate.open(name, port);
    this.gates.push(gate);
    return gate;
  }

  async close(): Promise<void> {
    for (const gate of this.gates) await gate.close();
    for (const node of this.nodes) node.signal('SIGCONT');
    await Promise.all([this.official?.end(), ...this.nodes.map((node) => node.end('SIGTERM'))]);
  }
}

/** Files of the nodes go into the folder. When it fails, nothing runs on. */
export async function startNetwork(folder: string, oursOnly: boolean): Promise<Network> {
  const started = new Started();
  try {
    return await startAll(folder, oursOnly, started);
  } catch (reason) {
    await started.close();
    throw reason;
  }
}

async function startAll(folder: string, oursOnly: boolean, started: Started): Promise<Network> {
  const authority = makeCertificate({ subject: 'soak authority' });
  const server = makeCertificate({ subject: 'node', hosts: [host], issuer: authority });
  const keys = {
    identity: newSecret(),
    link: newSecret(),
    members: newSecret(),
    ca: authority.cert,
  };
  const ports = { a: await freePorts(), b: await freePorts() };
  const replicas = Object.entries(ports).map(([id, { plain }]) => ({
    ...{ node_id: id, endpoint: `http://${host}:${plain}`, tls },
  }));
  const peers = {
    topology: 'full_mesh',
    discovery: { type: 'static', peers: replicas },
  };

  const { nodes, gates } = started;
  for (const [id, at] of Object.entries(ports)) {
    const file = join(folder, `node-${id}.yaml`);
    await writeFile(file, JSON.stringify(configOf({ id, at, peers, server, keys })));
    const node = new OurNode(id, file, `http://${host}:${at.admin}`);
    nodes.push(node);
    await node.start();
  }
  const { a, b } = ports;
  // It dials: one that was dialled tells a replica no names any more once that was restarted under its id.
  const urls = [a, b].map(({ plain }) => `http://${host}:${plain}`);
  const officialPort = await freePort();
  if (!oursOnly) started.official = await OfficialNode.start({ port: officialPort, urls });
  const { official } = started;
  const open = (name: string, port: number): Promise<Gate> => started.gate(name, port);
  const plain = [await open('a', a.plain), await open('b', b.plain)];
  if (official) plain.push(await open('official', officialPort));
  const secure = [await open('a over TLS', a.tls), await open('b over TLS', b.tls)];
  return {
    ...{ keys, nodes, gates, official, ports: [a.plain, b.plain] },
    urls: {
      plain: plain.map(({ port }) => `http://${host}:${port}`),
      tls: secure.map(({ port }) => `https://${host}:${port}`),
      websocket: [a, b].map(({ websocket }) => `ws://${host}:${websocket}/slim`),
    },
    close: () => started.close(),
  };
}

async function freePorts(): Promise<Ports> {
  const [plain, secure, websocket, admin] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  return { plain, tls: secure, websocket, admin };
}

interface NodeConfig {
  readonly id: string;
  readonly at: Ports;
  readonly peers: object;
  readonly server: { readonly cert: string; readonly key: string };
  readonly keys: Keys;
}

/** The configuration file of a node of ours, with a listener of each kind. */
function configOf({ id, at, peers, server, keys }: NodeConfig): object {
  const { cert, key } = server;
  const auth = {
    type: 'jwt',
    claims: { issuer: 'soak', audience: ['node'] },
    key: { type: 'decoding', algorithm: 'HS256', format: 'pem', key: { data: keys.link } },
  };
  const servers = [
    { endpoint: `${host}:${at.plain}`, tls },
    {
      ...{ endpoint: `${host}:${at.tls}`, auth },
      tls: { source: { type: 'pem', cert, key } },
      keepalive: { max_connection_age: '20s' },
    },
    { endpoint: `ws://${host}:${at.websocket}/slim`, tls },
  ];
  return {
    tracing: { log_level: 'warn' },
    runtime: { drain_timeout: '5s' },
    services: { 'slim/0': { node_id: id, peers, dataplane: { servers } } },
    nestjs_slim: { admin: { endpoint: `${host}:${at.admin}` } },
  };
}
