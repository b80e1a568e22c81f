import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ItemStream } from './streams/item-stream.js';
import { Fabric } from './testing/spec-fabric.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is in use once garbage is gone. Buffers that die in one collection are counted until the next. */
function usedBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A turn of the event loop, in which a writer that does not wait makes hundreds of items. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A writer and a reader of the same stream, and how far the one gets ahead of the other. */
class Race {
  private produced = 0;
  private read = 0;
  private lead = 0;
  private firstBytes = 0;
  private growth = 0;

  get summary() {
    return { read: this.read, lead: this.lead, growthBytes: this.growth };
  }

  async *write(length: number): AsyncGenerator<string> {
    while (this.produced < length) {
      this.produced += 1;
      this.lead = Math.max(this.lead, this.produced - this.read);
      yield `${this.produced} ${'x'.repeat(500)}`;
    }
  }

  /** Deals with an item for a while before it asks for the next. */
  async readFrom(items: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of items) {
      await turn();
      this.read += 1;
      if (this.read % 10_000 === 2_000) this.weigh();
    }
  }

  /** Settles when the writer was not asked for more during many turns. */
  async settled(): Promise<void> {
    for (let quiet = 0, seen = -1; quiet < 200; quiet += 1) {
      if (seen !== this.produced) quiet = 0;
      seen = this.produced;
      await turn();
    }
  }

  private weigh(): void {
    this.firstBytes ||= usedBytes();
    this.growth = Math.max(this.growth, usedBytes() - this.firstBytes);
  }
}

let race = new Race();

@Controller()
class NumbersController {
  @MessagePattern('write')
  write(length: number): AsyncIterable<unknown> {
    return race.write(length);
  }

  @MessagePattern('read')
  async read(@Payload() items: ItemStream): Promise<string> {
    await race.readFrom(items);
    return 'read';
  }
}

/** Through a network; `streams/flow.spec.ts` has more, without one. */
const many = 25_000;
/** The item that the reader deals with, those on their way to it, and those a server holds ready besides. */
const inHand = 1;
const credit = 64;
const held = 16;
/** All items together are 12 MB. In a process that ran other tests, up to 2 MB were seen to come once and stay. */
const maxGrowthBytes = 5_000_000;

describe('a slow reader', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    race = new Race();
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [NumbersController] });
  });
  afterEach(() => fabric.end());

  it('of an answer slows the handler, and memory stays as it is', async () => {
    const client = fabric.client({ mls: false, reliable: false });
    await race.readFrom(client.stream('write', many));
    const { growthBytes, ...exact } = race.summary;
    expect(exact).toStrictEqual({ read: many, lead: inHand + credit + held });
    expect(growthBytes).toBeLessThan(maxGrowthBytes);
  }, 60_000);

  it('of a request slows the caller, and memory stays as it is', async () => {
    const client = fabric.client({ mls: false, reliable: false });
    expect(await client.request('read', race.write(many))).toBe('read');
    const { growthBytes, ...exact } = race.summary;
    expect(exact).toStrictEqual({ read: many, lead: inHand + credit });
    expect(growthBytes).toBeLessThan(maxGrowthBytes);
  }, 60_000);

  it('that does not read at all stops an answer at the credit it gave', async () => {
    const answer = fabric.client().stream('write', many);
    await answer.next();
    await race.settled();
    expect(race.summary).toMatchObject({ lead: credit + held });
    await answer.return?.();
  });
});
