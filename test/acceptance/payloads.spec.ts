import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  SlimContext,
  type PacketDeserializer,
  type PacketSerializer,
  type SlimOptions,
} from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { everyNetwork } from './networks.js';
import type { Stage } from './stage.js';
import { SumsController } from './sums.controller.js';

type Packet = Readonly<Record<string, unknown>>;

/** Changes what a packet carries, be it a request or an answer. */
function change(packet: Packet, by: (value: unknown) => unknown): Packet {
  const key = 'response' in packet ? 'response' : 'data';
  return { ...packet, [key]: by(packet[key]) };
}

/** Encrypts what applications say, on top of what the network does. */
class Encryption implements PacketSerializer, PacketDeserializer {
  readonly calls: string[] = [];
  readonly #key = randomBytes(32);

  serialize(packet: Packet): Packet {
    this.calls.push('encrypt');
    return change(packet, (value) => {
      const iv = randomBytes(16);
      const cipher = createCipheriv('aes-256-ctr', this.#key, iv);
      return new Uint8Array(Buffer.concat([iv, cipher.update(JSON.stringify(value))]));
    });
  }

  deserialize(packet: Packet): Packet {
    this.calls.push('decrypt');
    return change(packet, (value) => {
      const bytes = Buffer.from(value as Uint8Array);
      const cipher = createDecipheriv('aes-256-ctr', this.#key, bytes.subarray(0, 16));
      return JSON.parse(cipher.update(bytes.subarray(16)).toString());
    });
  }
}

/** Puts values into a box and takes them out of it. */
const boxed: Pick<SlimOptions, 'serializer' | 'deserializer'> = {
  serializer: { serialize: (packet) => change(packet as Packet, (value) => ({ box: value })) },
  deserializer: {
    deserialize: (packet) => change(packet as Packet, (value) => (value as { box: unknown }).box),
  },
};

const sums = { controllers: [SumsController] };

const echoes = async (stage: Stage, options: Partial<SlimOptions>): Promise<void> => {
  await stage.serve(sums, options);
  const client = stage.client(options);
  expect(await outcome(client.send('echo', { id: 7 }))).toStrictEqual({ values: [{ id: 7 }] });
};

acceptance('Binary payloads', everyNetwork, {
  'raw bytes survive': async (stage) => {
    await stage.serve(sums);
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    expect(await firstValueFrom(stage.client().send('echo', bytes))).toStrictEqual(bytes);
  },

  'concurrent binary replies reach the right request': async (stage) => {
    await stage.serve(sums);
    const client = stage.client();
    const payloads = Array.from({ length: 20 }, (_, n) => new Uint8Array(1_000 + n).fill(n));
    const echoed = payloads.map((bytes) => firstValueFrom(client.send('echo', bytes)));
    expect(await Promise.all(echoed)).toStrictEqual(payloads);
  },

  'bytes that are not UTF-8 are preserved': async (stage) => {
    await stage.serve(sums);
    const bytes = new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]);
    expect(await firstValueFrom(stage.client().send('echo', bytes))).toStrictEqual(bytes);
  },
});

acceptance('Custom encryption adapter', everyNetwork, {
  'encrypts and decrypts exactly twice for each request': async (stage) => {
    const encryption = new Encryption();
    const wire = stage.wire();
    const options = { serializer: encryption, deserializer: encryption, mls: false };
    await stage.serve(sums, options);
    const client = stage.client({ ...options, node: wire });
    expect(await firstValueFrom(client.send('echo', 'a secret'))).toBe('a secret');
    expect(encryption.calls).toStrictEqual(['encrypt', 'decrypt', 'encrypt', 'decrypt']);
    expect(wire.frames.some((frame) => Buffer.from(frame).includes('a secret'))).toBe(false);
  },

  'every payload on the wire is ciphertext, with no adapter at all': async (stage) => {
    await stage.serve(sums);
    const isReadable = async (options: Partial<SlimOptions>): Promise<boolean> => {
      const wire = stage.wire();
      const client = stage.client({ ...options, node: wire });
      expect(await firstValueFrom(client.send('echo', 'a secret'))).toBe('a secret');
      return wire.frames.some((frame) => Buffer.from(frame).includes('a secret'));
    };
    expect(await isReadable({})).toBe(false);
    // So the test can tell.
    expect(await isReadable({ mls: false })).toBe(true);
  },
});

acceptance('Serializers', everyNetwork, {
  'request and response go through serializer and deserializer': (stage) => echoes(stage, boxed),

  'foreign payload is mapped to pattern and data': async (stage) => {
    @Controller()
    class ForeignController {
      @MessagePattern(stage.service)
      asked(@Payload() data: unknown, @Ctx() context: SlimContext): unknown {
        return { data, pattern: context.getPattern() };
      }
    }
    await stage.serve({ controllers: [ForeignController] });
    const session = await (await stage.peer()).openSession(stage.service);
    const payloadType = 'application/json';
    const { payload } = await session.request(Buffer.from('{"id":7}'), { payloadType });
    expect(JSON.parse(Buffer.from(payload).toString())).toStrictEqual({
      data: { id: 7 },
      pattern: stage.service,
    });
  },

  'custom async serializer and deserializer': (stage) =>
    echoes(stage, {
      serializer: { serialize: async (packet) => boxed.serializer?.serialize(packet) },
      deserializer: { deserialize: async (packet) => boxed.deserializer?.deserialize(packet) },
    }),
});
