import { describe, expect, it } from '@jest/globals';
import { SlimName } from '@nestjs-slim/core';
import { BaseRpcContext } from '@nestjs/microservices';
import { PatternReader } from '../patterns/pattern-reader.js';
import { noTelemetry } from '../telemetry.js';
import { EventRuns } from './event-runs.js';
import { HandlerTable } from './handler-table.js';

describe('an event without a handler', () => {
  it('is one line of the log, whatever its sender calls it', async () => {
    const name = SlimName.parse('acme/billing/invoices');
    const lines: unknown[] = [];
    const log = (line: unknown): void => void lines.push(line);
    const runs = new EventRuns({
      table: new HandlerTable(name, new PatternReader(name, () => undefined)),
      telemetry: noTelemetry,
      logger: { log, error: log, warn: log },
      withHooks: async (_, work) => void (await work()),
      failed: (reason) => lines.push(reason),
    });
    await runs.ofPattern('acme/billing/invoices#paid\nERROR forged', {}, new BaseRpcContext([]));
    expect(lines).toStrictEqual([
      'An event to "acme/billing/invoices#paid\\nERROR forged" was ignored: there is no handler for it.',
    ]);
  });
});
