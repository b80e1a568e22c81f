import { createRequire } from 'node:module';

// Installed for the interop suite only, so both are taken from there.
const interop = new URL('../../test/interop/', import.meta.url);
const bindings = createRequire(interop).resolve('@agntcy/slim-bindings');
const { default: slim } = await import(bindings);
const values = await import(new URL('native-values.mjs', interop).href);

/** @typedef {import('./library.mjs').Library} Library */

/** @type {Library['connect']} */
export async function connect({ url, name, secret }) {
  initialize();
  // A service has one connection to a node, so an application with a link of its own is a service.
  const service = slim.createService(name.replaceAll('/', '-'));
  const config = JSON.stringify({ endpoint: url, tls: { insecure: true } });
  const connection = await service.connectAsync(slim.newConfigFromJson(config));
  const own = values.toName(name);
  const { provider, verifier } = values.sharedSecret(name, secret);
  // The asynchronous form panics: it looks for a runtime it does not run in.
  const app = service.createAppWithDirection(own, provider, verifier, slim.Direction.Bidirectional);
  await app.subscribeAsync(own, connection);
  /** @param {string} text */
  const routed = async (text) => {
    const destination = values.toName(text);
    await app.setRouteAsync(destination, connection);
    return destination;
  };
  return {
    open: async (peer, options) => {
      const sessionType = slim.SessionType.PointToPoint;
      const session = values.toSessionConfig({ ...options, sessionType });
      const destination = await routed(peer);
      return toSession(await explained(app.createSessionAndWaitAsync(session, destination)));
    },
    accept: async () => toSession(await explained(app.listenForSessionAsync(undefined))),
    createChannel: async (channel, options) => {
      const session = values.toSessionConfig({ ...options, sessionType: slim.SessionType.Group });
      const destination = values.toName(channel);
      const created = app.createSessionAndWaitAsync(session, destination);
      return toChannel(await explained(created), routed);
    },
  };
}

function initialize() {
  if (slim.isInitialized()) return;
  const tracing = slim.newTracingConfig();
  tracing.logLevel = 'warn';
  slim.initializeWithConfigs(slim.newRuntimeConfig(), tracing, [slim.newServiceConfig()]);
}

/**
 * @param {any} session
 * @returns {import('./library.mjs').LibrarySession}
 */
function toSession(session) {
  /** @type {boolean | undefined} */
  let reliable;
  return {
    messages: { [Symbol.asyncIterator]: () => ({ next: () => nextMessage(session) }) },
    publish: async (payload) => {
      // Not before it is needed: a session that its opener closed meanwhile does not tell any more.
      reliable ??= session.config().interval !== undefined;
      const publishing = session.publishAsync(payload.buffer, undefined, undefined);
      const completion = await explained(publishing);
      return { acknowledged: reliable ? explained(completion.waitAsync()) : Promise.resolve() };
    },
    close: () => explained(session.closeWithModeAndWaitAsync(slim.CloseMode.Hard)),
  };
}

/**
 * The same, failing with the text of the official error: its own message names only the kind.
 * @param {Promise<any>} promise
 */
async function explained(promise) {
  try {
    return await promise;
  } catch (reason) {
    throw new Error(values.errorText(reason), { cause: reason });
  }
}

/**
 * @param {any} session
 * @param {(name: string) => Promise<unknown>} routed
 * @returns {import('./library.mjs').LibraryChannel}
 */
function toChannel(session, routed) {
  return {
    ...toSession(session),
    inviteInTurn: async (names) => {
      for (const name of names) await explained(session.inviteAndWaitAsync(await routed(name)));
    },
    // There is no call for several, but nothing asks us to wait for one before the next.
    inviteAtOnce: async (names) => {
      const routes = await Promise.all(names.map(routed));
      await Promise.all(routes.map((route) => explained(session.inviteAndWaitAsync(route))));
    },
    memberCount: async () => (await session.participantsListAsync()).length,
  };
}

/**
 * @param {any} session
 * @returns {Promise<IteratorResult<{ payload: Uint8Array }, undefined>>}
 */
async function nextMessage(session) {
  try {
    const { payload } = await explained(session.getMessageAsync(undefined));
    return { done: false, value: { payload: new Uint8Array(payload) } };
  } catch (reason) {
    if (String(reason).includes('closed')) return { done: true, value: undefined };
    throw reason;
  }
}
