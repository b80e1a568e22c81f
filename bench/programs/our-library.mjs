import { sharedSecret } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';

/** @typedef {import('./library.mjs').Library} Library */

/** @type {Library['connect']} */
export async function connect({ url, name, secret }) {
  const app = await SlimApp.connect({ name, identity: sharedSecret({ secret }), node: url });
  return {
    open: async (peer, options) => toSession(await app.openSession(peer, options)),
    accept: async () => {
      for await (const session of app.sessions()) return toSession(session);
      throw new Error('the application ended before anybody opened a session');
    },
    createChannel: async (channel, options) => toChannel(await app.createChannel(channel, options)),
  };
}

/**
 * @param {import('@nestjs-slim/core').Session | import('@nestjs-slim/core').Channel} session
 * @returns {import('./library.mjs').LibrarySession}
 */
function toSession(session) {
  return {
    messages: session,
    publish: async (payload) => {
      const done = session.publish(payload);
      if (session.reliable) return { acknowledged: done };
      await done;
      return { acknowledged: Promise.resolve() };
    },
    close: () => session.close(),
  };
}

/**
 * @param {import('@nestjs-slim/core').Channel} channel
 * @returns {import('./library.mjs').LibraryChannel}
 */
function toChannel(channel) {
  return {
    ...toSession(channel),
    inviteInTurn: async (names) => {
      for (const name of names) await channel.invite(name);
    },
    inviteAtOnce: async (names) => {
      for (const { error } of await channel.inviteAll(names)) if (error) throw error;
    },
    memberCount: async () => channel.participants().length,
  };
}
