import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { host } from './network/places.js';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const emptySettings = Buffer.from('000000040000000000', 'hex');
/** Nobody who does harm stays longer. */
const stayMs = 1_500;

/** What strangers send to a listener, each on a connection of its own. */
const manners: Readonly<Record<string, (random: () => number) => Buffer>> = {
  nothing: () => Buffer.alloc(0),
  noise: (random) => noise(random, 4_096),
  'half a preface': () => preface.subarray(0, 11),
  'settings, then noise': (random) => Buffer.concat([preface, emptySettings, noise(random, 512)]),
  'a frame that is longer than it says': () =>
    Buffer.concat([preface, emptySettings, Buffer.from('7fffff0100000000ff', 'hex')]),
  'headers that are not compressed as they should be': (random) =>
    Buffer.concat([
      preface,
      emptySettings,
      Buffer.from('000040010400000001', 'hex'),
      noise(random, 64),
    ]),
  'a request of HTTP/1': () =>
    Buffer.from('POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n'),
};

/** So many strangers at a port; settles when all are gone. Answers how many connections it were. */
export async function harm(port: number, count: number, random: () => number): Promise<number> {
  const names = Object.keys(manners);
  const visits = Array.from({ length: count }, (_, index) => {
    const bytes = manners[names[index % names.length] ?? '']?.(random);
    return visit(port, bytes ?? Buffer.alloc(0), random() < 0.5);
  });
  await Promise.all(visits);
  return count;
}

/** Stays until it is thrown out, or until it has had enough; half of them leave without saying so. */
async function visit(port: number, bytes: Buffer, isRude: boolean): Promise<void> {
  const socket: Socket = connect(port, host);
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  // That it is refused is what it came for.
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(bytes);
  await Promise.race([over, setTimeout(stayMs)]);
  if (isRude) socket.resetAndDestroy();
  else socket.destroy();
  await over;
}

function noise(random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}
