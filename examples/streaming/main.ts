// Streams in both directions, at the pace of whoever reads them.
// npm run example -- streaming
import { Controller, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { SlimClient, SlimModule, SlimNode } from 'nestjs-slim';
import { sharedSecret, slimMicroservice, type ItemStream } from 'nestjs-slim';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
const secret = process.env.SLIM_SECRET ?? 'for examples only: all services know it';
const identity = sharedSecret({ secret });
Logger.overrideLogger(['error', 'warn']);

let measured = 0;
let stopped: () => void = () => undefined;
const sensorStopped = new Promise<void>((resolve) => (stopped = resolve));

@Controller()
class SensorController {
  /** Never ends by itself. It is asked for a value only when the reader has room for it. */
  @MessagePattern('measure')
  async *measure(): AsyncGenerator<number> {
    try {
      for (measured = 1; ; measured += 1) yield measured;
    } finally {
      stopped();
    }
  }

  /** Reads a stream, and answers once it has ended. */
  @MessagePattern('average')
  async average(@Payload() values: ItemStream<number>): Promise<number> {
    let [sum, count] = [0, 0];
    for await (const value of values) [sum, count] = [sum + value, count + 1];
    return sum / count;
  }

  /** Answers while it reads. */
  @MessagePattern('running-total')
  async *runningTotal(@Payload() values: ItemStream<number>): AsyncGenerator<number> {
    let sum = 0;
    for await (const value of values) yield (sum += value);
  }
}

@Module({
  imports: [SlimModule.forRoot({ name: 'acme/lab/sensor', identity, node })],
  controllers: [SensorController],
})
class SensorModule {}

const service = await NestFactory.createMicroservice(SensorModule, slimMicroservice());
await service.listen();
const client = new SlimClient({ name: 'acme/lab/desk', identity, node, target: 'acme/lab/sensor' });

async function* counting(upTo: number): AsyncGenerator<number> {
  for (let value = 1; value <= upTo; value += 1) yield value;
}

/** Work on one value; meanwhile the sensor must not run away. */
const slowWork = (): Promise<void> => new Promise((done) => setImmediate(done));

let read = 0;
for await (const value of client.stream<number>('measure', {})) {
  await slowWork();
  read = value;
  if (read === 500) break; // cancels the request
}
await sensorStopped;
console.log(`read ${read} values; fewer than 200 more were measured: ${measured < read + 200}`);

console.log(`average: ${await client.request<number>('average', counting(1_000))}`);

const totals: number[] = [];
for await (const total of client.stream<number>('running-total', counting(5))) totals.push(total);
console.log(`running total: ${totals.join(' ')}`);

await client.close();
await service.close();
