import type { LoggerService } from '@nestjs/common';
import type { BaseRpcContext } from '@nestjs/microservices';
import { splitKey } from '../patterns/pattern.js';
import { SlimContext } from '../slim-context.js';
import type { SlimTelemetry } from '../telemetry.js';
import { Abortion } from './abortion.js';
import { describeError, runEvent, type EventFailure } from './event-run.js';
import type { HandlerTable, Match } from './handler-table.js';
import type { ServerCall } from './server-call.js';

/** What the runs of events ask of the server they belong to. */
export interface EventHost {
  readonly table: HandlerTable;
  readonly telemetry: SlimTelemetry;
  readonly logger: LoggerService;
  /** Runs `work`, which does not fail, between the hooks of the server. */
  withHooks(context: BaseRpcContext, work: () => Promise<unknown>): Promise<void>;
  /** Listeners hear of it. */
  failed(reason: unknown, pattern: string): void;
}

/** An event that is being handled. */
interface EventRun {
  readonly context: BaseRpcContext;
  readonly pattern: string;
  readonly abortion: Abortion;
}

/** Runs the handlers of events. Nobody waits for an answer: each failure is logged and told to listeners. */
export class EventRuns {
  private readonly host: EventHost;

  constructor(host: EventHost) {
    this.host = host;
  }

  /** An event that came by a session. Ends the call; never fails. */
  async ofCall(call: ServerCall, matches: readonly Match[], data: unknown): Promise<void> {
    const { context, abortion } = call;
    const pattern = context.getPattern();
    try {
      if (matches.length === 0) {
        return this.ignored(pattern, call.service, context.getOperation());
      }
      const seen = context.withParams(Object.assign({}, ...matches.map(({ params }) => params)));
      const handling = this.host.telemetry.handling('event', seen);
      const failures = await handling.run(() =>
        this.runAll(matches, data, { context, pattern, abortion }),
      );
      handling.ended(failures[0]);
    } catch (reason) {
      this.failed(reason, pattern);
    } finally {
      call.end();
    }
  }

  /** An event that somebody hands to the server by Nest's `handleEvent`. */
  async ofPattern(pattern: string, data: unknown, context: BaseRpcContext): Promise<void> {
    const [service, operation] = splitKey(pattern);
    const matches = this.host.table.events(service, operation);
    if (matches.length === 0) return this.ignored(pattern, service, operation);
    await this.runAll(matches, data, { context, pattern, abortion: new Abortion() });
  }

  /** Whatever one handler does, the others run. What goes wrong is told at once, and given in the end. */
  private async runAll(
    matches: readonly Match[],
    data: unknown,
    { context, pattern, abortion }: EventRun,
  ): Promise<readonly EventFailure[]> {
    const { host } = this;
    const failures: EventFailure[] = [];
    await host.withHooks(context, () =>
      Promise.all(
        matches.map(async ({ handler, params }) => {
          const own = context instanceof SlimContext ? context.withParams(params) : context;
          const failure = await runEvent(() => handler(data, own), abortion);
          if (!failure) return;
          failures.push(failure);
          this.failed(failure.reason, pattern);
        }),
      ),
    );
    return failures;
  }

  private ignored(pattern: string, service: string, operation: string): void {
    const isMessage = this.host.table.message(service, operation) !== undefined;
    const why = isMessage ? 'it answers requests only' : 'there is no handler for it';
    this.host.logger.error(`An event to ${quoted(pattern)} was ignored: ${why}.`);
  }

  private failed(reason: unknown, pattern: string): void {
    const what = describeError(reason);
    this.host.logger.error(`An event handler of ${quoted(pattern)} failed: ${what}`);
    this.host.failed(reason, pattern);
  }
}

/** Senders choose operations: none of them may look like a line of the log. */
function quoted(pattern: string): string {
  return JSON.stringify(pattern);
}
