import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@nestjs-slim/core/testing';
import { hearFirstWords, readsWhileWriting, saysItReadsWhileWriting } from './first-words.js';
import { http2Dialler } from './http2-dialler.js';

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Both ends of a socket that a listener accepts. */
async function accept(clock: ManualClock, dial: (port: number) => Socket | undefined) {
  const server = createServer();
  ends.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const heard: Uint8Array[] = [];
  const accepted = once(server, 'connection');
  const client = dial(port);
  const [socket] = (await accepted) as [Socket];
  socket.on('error', () => undefined);
  ends.push(() => socket.destroy());
  const first = new Promise<Uint8Array>((resolve) => {
    hearFirstWords({ socket, clock, silenceMs: 1_000 }, (bytes) => {
      heard.push(bytes);
      resolve(bytes);
    });
  });
  return { client, socket, heard, first };
}

const plain = (port: number): Socket => {
  const socket = connect({ port, host: '127.0.0.1' });
  ends.push(() => socket.destroy());
  return socket.on('error', () => undefined).resume();
};

describe('hearFirstWords', () => {
  it('leaves what it heard in the socket, in front of what comes later', async () => {
    const clock = new ManualClock();
    const { client, socket, first, heard } = await accept(clock, plain);
    client?.write('one');
    await first;
    expect(clock.pending).toBe(0);
    let all = '';
    socket.on('data', (chunk: Buffer) => {
      all += chunk.toString();
    });
    client?.end(' two');
    await once(socket, 'end');
    expect(all).toBe('one two');
    expect(heard).toHaveLength(1);
  });

  it('destroys the socket of a client that says nothing', async () => {
    const clock = new ManualClock();
    const { client, socket, heard } = await accept(clock, plain);
    const closed = Promise.all([once(socket, 'close'), client && once(client, 'close')]);
    clock.advance(1_000);
    await closed;
    expect(heard).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer for a client that hangs up without a word', async () => {
    const clock = new ManualClock();
    const { client, socket, heard } = await accept(clock, plain);
    client?.end();
    await once(socket, 'close');
    expect(heard).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });
});

describe('saysItReadsWhileWriting', () => {
  it('is true of our dialler', async () => {
    const { first } = await accept(new ManualClock(), (port) => {
      const stop = new AbortController();
      const link = http2Dialler(`http://127.0.0.1:${port}`).dial(stop.signal);
      link.catch(() => undefined);
      ends.push(() => stop.abort());
      return undefined;
    });
    expect(saysItReadsWhileWriting(await first)).toBe(true);
  });

  it('is not true of another client on node:http2', async () => {
    const { first } = await accept(new ManualClock(), (port) => {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      session.on('error', () => undefined);
      ends.push(() => session.destroy());
      return undefined;
    });
    expect(saysItReadsWhileWriting(await first)).toBe(false);
  });

  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').toString('hex');
  it.each([
    ['nothing at all', '', false],
    ['no settings', `${preface}000000060000000000`, false],
    ['the setting at its end', `${preface}00000c04000000000000040000ffff` + 'f5a100000001', true],
    ['the setting, switched off', `${preface}000006040000000000f5a100000000`, false],
    ['a part of the setting', `${preface}000006040000000000f5a10000`, false],
    ['the setting behind its settings', `${preface}000000040000000000f5a100000001`, false],
  ])('is judged by the settings alone: %s', (_, hex, expected) => {
    expect(saysItReadsWhileWriting(Buffer.from(hex, 'hex'))).toBe(expected);
  });

  it('names the setting that it looks for', () => {
    expect(readsWhileWriting).toStrictEqual({ 0xf5a1: 1 });
  });
});
