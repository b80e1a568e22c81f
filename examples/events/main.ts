// Events: told, not answered. Several handlers may hear one, and a failing one does not stop the others.
// npm run example -- events
import { Controller, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload, RpcException } from '@nestjs/microservices';
import { SlimClient, SlimMetadata, SlimModule, SlimNode, SlimParam } from 'nestjs-slim';
import { SlimRecordBuilder, sharedSecret, slimMicroservice } from 'nestjs-slim';
import { lastValueFrom } from 'rxjs';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
const secret = process.env.SLIM_SECRET ?? 'for examples only: all services know it';
const identity = sharedSecret({ secret });
Logger.overrideLogger(false);

let heard: () => void = () => undefined;

@Controller()
class LedgerController {
  @EventPattern<string>('invoice.paid')
  book(@Payload() invoice: number, @SlimMetadata('tenant') tenant?: string): void {
    console.log(`invoice ${invoice} is paid, tenant ${tenant}`);
  }

  @EventPattern<string>('invoice.paid')
  thank(@Payload() invoice: number): void {
    throw new RpcException(`no address to thank for invoice ${invoice}`);
  }

  /** Hears what the more specific handlers hear, too. */
  @EventPattern<string>('invoice.:what')
  audit(@Payload() invoice: number, @SlimParam('what') what: string): void {
    console.log(`audit: invoice ${invoice} was ${what}`);
    if (what === 'closed') heard();
  }
}

@Module({
  imports: [SlimModule.forRoot({ name: 'acme/billing/ledger', identity, node })],
  controllers: [LedgerController],
})
class LedgerModule {}

const ledger = await NestFactory.createMicroservice(LedgerModule, slimMicroservice());
ledger.on('error', (error: { message: string }, pattern: string) => {
  console.log(`on('error') of ${pattern}: ${error.message}`);
});
await ledger.listen();

const name = 'acme/shop/till';
const client = new SlimClient({ name, identity, node, target: 'acme/billing/ledger' });
const allHeard = new Promise<void>((resolve) => (heard = resolve));

const paid = new SlimRecordBuilder(7).setMetadata({ tenant: 'north' }).build();
// Settles once the ledger has it, whatever its handlers do with it.
await lastValueFrom(client.emit('invoice.paid', paid));
// Nobody waits for this one; a failure to deliver it would be told to client.on('error').
client.emit('invoice.closed', 7);
await allHeard;

await client.close();
await ledger.close();
