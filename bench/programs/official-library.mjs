import { createRequire } from 'node:module';

// Installed for the interop suite only, so both are taken from there.
const interop = new URL('../../test/interop/', import.meta.url);
const bindings = createRequire(interop).resolve('@agntcy/slim-bindings');
const { default: slim } = await import(bindings);
const values = await import(new URL('native-values.mjs', interop).href);

/** @typedef {import('./library.mjs').Library} Library */

/** @type {Library['connect']} */
export async function connect({ url, name, secret }) {
  const tracing = slim.newTracingConfig();
  tracing.logLevel = 'warn';
  slim.initializeWithConfigs(slim.newRuntimeConfig(), tracing, [slim.newServiceConfig()]);
  const service = slim.getGlobalService();
  const config = JSON.stringify({ endpoint: url, tls: { insecure: true } });
  const connection = await service.connectAsync(slim.newConfigFromJson(config));
  const own = values.toName(name);
  const { provider, verifier } = values.sharedSecret(name, secret);
  // The asynchronous form panics: it looks for a runtime it does not run in.
  const app = service.createAppWithDirection(own, provider, verifier, slim.Direction.Bidirectional);
  await app.subscribeAsync(own, connection);
  return {
    open: async (peer, options) => {
      const destination = values.toName(peer);
      await app.setRouteAsync(destination, connection);
      const sessionType = slim.SessionType.PointToPoint;
      const session = values.toSessionConfig({ ...options, sessionType });
      return toSession(await app.createSessionAndWaitAsync(session, destination));
    },
    accept: async () => toSession(await app.listenForSessionAsync(undefined)),
  };
}

/**
 * @param {any} session
 * @returns {import('./library.mjs').LibrarySession}
 */
function toSession(session) {
  const reliable = session.config().interval !== undefined;
  return {
    messages: { [Symbol.asyncIterator]: () => ({ next: () => nextMessage(session) }) },
    publish: async (payload) => {
      const completion = await session.publishAsync(payload.buffer, undefined, undefined);
      return { acknowledged: reliable ? completion.waitAsync() : Promise.resolve() };
    },
    close: () => session.closeWithModeAndWaitAsync(slim.CloseMode.Hard),
  };
}

/**
 * @param {any} session
 * @returns {Promise<IteratorResult<{ payload: Uint8Array }, undefined>>}
 */
async function nextMessage(session) {
  try {
    const { payload } = await session.getMessageAsync(undefined);
    return { done: false, value: { payload: new Uint8Array(payload) } };
  } catch (reason) {
    const text = values.errorText(reason);
    if (text.includes('closed')) return { done: true, value: undefined };
    throw new Error(text, { cause: reason });
  }
}
