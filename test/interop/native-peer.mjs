// One process holding one official SLIM service, driven by JSON lines (../support/native-peer.ts).
//
//   stdin   {"id":1,"op":"publish","session":"s1","text":"hello"}    commands; they run concurrently
//   fd 3    {"id":1,"ok":true,…}   {"id":1,"ok":false,"error":"…"}   one answer to each command
//
// Replies do not use stdout because the native core prints its log there and cannot be told not to.
// The process ends when stdin does, so it never outlives the test that started it.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import slim from '@agntcy/slim-bindings';
import * as values from './native-values.mjs';

const HOST = '127.0.0.1';

// What publishMany leaves unacknowledged: half of what a native sender keeps for retransmission.
const MAX_IN_FLIGHT = 256;

const replies = new Socket({ fd: 3, readable: false, writable: true });
const sessions = new Map();
let connection;
let currentApp;

const operations = {
  version() {
    return { version: slim.getVersion() };
  },

  /** What this process has computed, on all its threads, and holds. */
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
  },

  /** Has to be the first op of its process: strictness is fixed when the core is initialized. */
  async node({ port, strict = true, auth }) {
    if (slim.isInitialized()) throw new Error('the op node must come first');
    const server = slim.newInsecureServerConfig(`${HOST}:${port}`);
    server.requireHeaderMac = strict;
    if (auth) server.auth = values.serverAuth(auth);
    initialize([server]);
    const probe = connectTcp(port, HOST);
    await once(probe, 'connect');
    probe.destroy();
    return { url: `http://${HOST}:${port}` };
  },

  /**
   * A node from an official configuration file; has to be the first op. The bindings start without the
   * servers when they cannot read the file, so every port of one is tried.
   */
  async configuredNode({ config }) {
    if (slim.isInitialized()) throw new Error('the op configuredNode must come first');
    const folder = mkdtempSync(join(tmpdir(), 'native-peer-'));
    // JSON is YAML.
    const file = join(folder, 'node.yaml');
    try {
      writeFileSync(file, JSON.stringify(config));
      slim.initializeFromConfigWithError(file);
    } finally {
      rmSync(folder, { recursive: true });
    }
    for (const port of portsOf(config)) {
      const probe = connectTcp(port, HOST);
      await once(probe, 'connect');
      probe.destroy();
    }
  },

  /** `config` is merged into the official client config: tls, auth, backoff, headers and so on. */
  async connect({ url, config }) {
    const json = JSON.stringify({ endpoint: url, tls: { insecure: true }, ...config });
    connection = await service().connectAsync(slim.newConfigFromJson(json));
  },

  disconnect() {
    service().disconnect(connection);
    connection = undefined;
  },

  /** Without a connection the app talks only to its own process, which may be a node. */
  async app({ name, direction = 'Bidirectional', persistence, ...identified }) {
    const own = values.toName(name);
    const identity = values.identity({ identityId: name, ...identified });
    const args = [own, identity.provider, identity.verifier, slim.Direction[direction]];
    // The asynchronous forms of these calls panic: they look for a runtime they do not run in.
    currentApp = persistence
      ? service().createAppWithPersistence(...args, persistence)
      : service().createAppWithDirection(...args);
    await currentApp.subscribeAsync(own, connection);
    return { app: values.fromName(currentApp.name()) };
  },

  async subscribe({ name }) {
    await app().subscribeAsync(values.toName(name), connection);
  },

  async unsubscribe({ name }) {
    await app().unsubscribeAsync(values.toName(name), connection);
  },

  /** The sessions an app with persistence had before it ended; synchronous for the reason above. */
  restore() {
    return { sessions: app().restoreSessions(connection).map(register) };
  },

  async open({ peer, ...options }) {
    return create(await routedName(peer), slim.SessionType.PointToPoint, options);
  },

  async accept({ timeoutMs }) {
    return register(await app().listenForSessionAsync(timeoutMs));
  },

  async createGroup({ channel, ...options }) {
    return create(values.toName(channel), slim.SessionType.Group, options);
  },

  async invite({ session, name }) {
    await opened(session).session.inviteAndWaitAsync(await routedName(name));
  },

  async remove({ session, name }) {
    await opened(session).session.removeAndWaitAsync(values.toName(name));
  },

  async participants({ session }) {
    const participants = await opened(session).session.participantsListAsync();
    return { participants: participants.map(values.fromParticipant) };
  },

  async rejoin({ session }) {
    await opened(session).session.rejoinAndWaitAsync();
  },

  async publish({ session, wait, ...message }) {
    const completion = await publish(opened(session), message);
    if (wait) await completion.waitAsync();
  },

  /** Publishes prefix0, prefix1, … in this order; elapsedMs ends when the last one is done. */
  async publishMany({ session, count, prefix, wait, ...message }) {
    const target = opened(session);
    const startedAt = performance.now();
    let unacknowledged = [];
    for (let n = 0; n < count; n += 1) {
      const completion = await publish(target, { ...message, text: `${prefix}${n}` });
      if (wait) unacknowledged.push(outcome(completion));
      if (unacknowledged.length < MAX_IN_FLIGHT) continue;
      await allAcknowledged(unacknowledged);
      unacknowledged = [];
    }
    await allAcknowledged(unacknowledged);
    return { elapsedMs: performance.now() - startedAt };
  },

  /** Ends at `count` messages, at the timeout or with the session, whichever comes first. */
  async receive({ session, count, timeoutMs }) {
    const source = opened(session);
    const deadline = performance.now() + timeoutMs;
    const messages = [];
    const errors = [];
    let leftMs = timeoutMs;
    while (messages.length < count && leftMs > 0) {
      try {
        messages.push(values.fromMessage(await receiveOne(source, leftMs)));
      } catch (reason) {
        const error = values.errorText(reason);
        if (!error.includes('receive timeout')) errors.push(error);
        if (error.includes('closed')) return { messages, errors, ended: 'closed' };
      }
      leftMs = Math.ceil(deadline - performance.now());
    }
    return { messages, errors, ended: messages.length === count ? 'count' : 'timeout' };
  },

  /** Sends every message back; answers when that ends, with the number sent back and the cause. */
  async echo({ session, count: limit = Infinity }) {
    const source = opened(session);
    let count = 0;
    try {
      for (; count < limit; count += 1) {
        const { context, payload } = await receiveOne(source, undefined);
        context.metadata.delete('PUBLISH_TO'); // it would make the echo a unicast to nobody
        await source.session.publishAsync(payload, context.payloadType, context.metadata);
      }
    } catch (reason) {
      return { count, reason: values.errorText(reason) };
    }
    return { count, reason: 'count' };
  },

  /** A soft close leaves a group so that rejoin can come back; otherwise the session ends. */
  async close({ session, soft = false }) {
    const mode = soft ? slim.CloseMode.Soft : slim.CloseMode.Hard;
    await opened(session).session.closeWithModeAndWaitAsync(mode);
  },

  exit() {
    setImmediate(() => replies.end(() => process.exit(0)));
  },
};

/** Of the servers of a configuration, `host:port` or `ws://host:port/path` each. */
function portsOf({ services }) {
  const servers = Object.values(services).flatMap(({ dataplane }) => dataplane.servers ?? []);
  return servers.flatMap(({ endpoint }) => endpoint.match(/(?<=:)\d+(?=\/|$)/g)?.map(Number) ?? []);
}

/** Starts the core with these servers; only servers given here can be strict. */
function initialize(servers) {
  const tracing = slim.newTracingConfig();
  tracing.logLevel = process.env.NATIVE_PEER_LOG ?? 'warn';
  const config = slim.newServiceConfig();
  config.dataplane = { servers, clients: [] };
  slim.initializeWithConfigs(slim.newRuntimeConfig(), tracing, [config]);
}

function service() {
  if (!slim.isInitialized()) initialize([]);
  return slim.getGlobalService();
}

function app() {
  if (!currentApp) throw new Error('no app yet: send the op app first');
  return currentApp;
}

/** Without a route the native client does not know which connection leads to the name. */
async function routedName(text) {
  const name = values.toName(text);
  if (connection !== undefined) await app().setRouteAsync(name, connection);
  return name;
}

async function create(destination, sessionType, options) {
  const config = values.toSessionConfig({ ...options, sessionType });
  return register(await app().createSessionAndWaitAsync(config, destination));
}

function register(session) {
  const handle = `s${sessions.size + 1}`;
  sessions.set(handle, { session, lastContext: undefined });
  return { session: handle, ...values.fromSession(session) };
}

function opened(handle) {
  const entry = sessions.get(handle);
  if (!entry) throw new Error(`no session ${handle}`);
  return entry;
}

/** Settles when the core took the message; the completion it returns settles with the last ack. */
function publish({ session, lastContext }, { payloadType, metadata, toSender, ...content }) {
  const args = [values.toPayload(content), payloadType, values.toMap(metadata)];
  if (!toSender) return session.publishAsync(...args);
  if (!lastContext) throw new Error('toSender answers a received message, and there is none');
  return session.publishToAsync(lastContext, ...args);
}

/** The failure as a value: a rejection that nobody awaits yet would end the process. */
const outcome = (completion) => completion.waitAsync().catch((failure) => failure);

async function allAcknowledged(outcomes) {
  const failure = (await Promise.all(outcomes)).find((result) => result !== undefined);
  if (failure !== undefined) throw failure;
}

async function receiveOne(source, timeoutMs) {
  const message = await source.session.getMessageAsync(timeoutMs);
  source.lastContext = message.context;
  return message;
}

function send(line) {
  replies.write(`${JSON.stringify(line)}\n`);
}

async function execute({ id, op, ...args }) {
  try {
    if (!Object.hasOwn(operations, op)) throw new Error(`unknown op ${op}`);
    send({ id, ok: true, ...(await operations[op](args)) });
  } catch (reason) {
    send({ id, ok: false, error: values.errorText(reason) });
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => void execute(JSON.parse(line)))
  .on('close', () => process.exit(0));
