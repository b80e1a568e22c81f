// One application of ours that keeps its state in a file, driven by JSON lines (../support/kept-app.ts), so that
// a test can kill it. Commands on stdin, answers on descriptor 3; it ends when stdin does.

import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { sharedSecret } from '@nestjs-slim/core';
import { SlimApp, sqliteStore } from '@nestjs-slim/platform-node';

const replies = new Socket({ fd: 3, readable: false, writable: true });
const sessions = new Map();
let app;

const text = ({ payload }) => new TextDecoder().decode(payload);

const operations = {
  async connect({ node, name, secret, path }) {
    const store = sqliteStore({ path });
    app = await SlimApp.connect({ node, name, store, identity: sharedSecret({ secret }) });
    return { name: app.name.toString(), sessions: app.restored.map(register) };
  },

  async open({ target, ...options }) {
    return register(await app.openSession(target, options));
  },

  async create({ channel, ...options }) {
    return register(await app.createChannel(channel, options));
  },

  async accept() {
    for await (const session of app.sessions()) return register(session);
    throw new Error('the application ended');
  },

  async invite({ id, name }) {
    await sessions.get(id).invite(name);
  },

  async remove({ id, name }) {
    await sessions.get(id).remove(name);
  },

  /** Answers when all have them. */
  async publish({ id, count, prefix }) {
    const session = sessions.get(id);
    const all = Array.from({ length: count }, (_, at) =>
      session.publish(new TextEncoder().encode(`${prefix}${at}`)),
    );
    await Promise.all(all);
  },

  /** Publishes without end, until the process is killed. */
  flood({ id, prefix }) {
    void (async () => {
      for (let at = 0; ; at += 1) {
        await sessions.get(id).publish(new TextEncoder().encode(`${prefix}${at}`));
      }
    })();
  },

  async receive({ id, count }) {
    const texts = [];
    while (texts.length < count)
      texts.push(text(await sessions.get(id).next({ timeoutMs: 15_000 })));
    return { texts };
  },

  online({ id }) {
    const participants = sessions.get(id).participants();
    const online = participants.filter((each) => each.online);
    return { names: online.map(({ name }) => name.service).toSorted() };
  },

  async close({ id }) {
    await sessions.get(id).close();
  },

  async ended({ id }) {
    return { code: (await sessions.get(id).ended)?.code };
  },

  async end() {
    await app.close();
  },
};

function register(session) {
  sessions.set(session.id, session);
  const { id, kind, mls, metadata } = session;
  return { id, kind, mls, metadata };
}

async function execute({ id: call, op, args }) {
  const send = (answer) => replies.write(`${JSON.stringify({ id: call, ...answer })}\n`);
  try {
    send({ ok: true, answer: await operations[op](args) });
  } catch (reason) {
    send({ ok: false, error: `${reason.code}: ${reason.message}` });
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => void execute(JSON.parse(line)))
  .on('close', () => process.exit(0));
