// Sessions and a channel without any Nest: the libraries below the transport.
// npm run example -- without-nest
import { sharedSecret, type Channel, type Session } from '@nestjs-slim/core';
import { SlimApp, SlimNode } from '@nestjs-slim/platform-node';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
const secret = process.env.SLIM_SECRET ?? 'for examples only: all services know it';
const identity = sharedSecret({ secret });

/** Sends back what it gets, in every session and channel that others bring it into. */
async function echo(session: Session | Channel): Promise<void> {
  for await (const message of session) await message.reply(message.payload);
}

async function serve(served: SlimApp): Promise<void> {
  for await (const session of served.sessions()) void echo(session);
}

const book = await SlimApp.connect({ name: 'acme/ledger/book', identity, node });
const serving = serve(book);

const app = await SlimApp.connect({ name: 'acme/x/y', identity, node });

const session = await app.openSession('acme/ledger/book'); // MLS and reliable unless turned off
await session.publish(Buffer.from('hello')); // settles when acknowledged
const { payload, source } = await session.next();
console.log(`${source.service} says ${Buffer.from(payload).toString()}`);
await session.close();

const room = await app.createChannel('acme/ops/room'); // we moderate
await room.invite('acme/ledger/book');
await room.publish(Buffer.from('hello, everybody')); // to every member
for await (const message of room) {
  console.log(`${message.identity.principal} says ${Buffer.from(message.payload).toString()}`);
  break;
}
await room.close();

await app.close();
await book.close();
await serving;
