import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { SlimContext } from 'nestjs-slim';
import { Observable, from } from 'rxjs';
import { tell } from '../settings.js';
import { names } from './names.js';

export interface Invoice {
  readonly id: number;
  readonly customer: string;
  readonly cents: number;
}

/** Which instance did something, beside what it did. */
export interface Answered<Value> {
  readonly by: string;
  readonly value: Value;
}

/** Handlers at a SLIM name: nothing in them knows of hosts, nodes or keys. */
@Controller()
export class InvoicesController {
  private readonly invoices: Invoice[] = [];

  @MessagePattern('create')
  create(
    @Payload() order: Pick<Invoice, 'customer' | 'cents'>,
    @Ctx() context: SlimContext,
  ): Answered<Invoice> {
    const by = context.getName().toString();
    const invoice = { id: this.invoices.length + 1, ...order };
    this.invoices.push(invoice);
    tell(by, `created invoice ${invoice.id} for ${context.getSource().toString()}`);
    return { by, value: invoice };
  }

  /** Answers with one value after the other. */
  @MessagePattern(`${names.invoices}#list`)
  list(): Observable<Invoice> {
    return from(this.invoices);
  }

  @EventPattern<string>('paid')
  paid(@Payload() id: number, @Ctx() context: SlimContext): void {
    tell(context.getName().toString(), `heard that invoice ${id} is paid`);
  }

  /** Any application of a SLIM SDK is answered too; what it sends is bytes, or JSON. */
  @MessagePattern(names.invoices)
  plain(@Payload() question: unknown): { readonly invoices: number; readonly asked: unknown } {
    return { invoices: this.invoices.length, asked: question };
  }
}
