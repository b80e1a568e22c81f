import { diag } from '@opentelemetry/api';

/**
 * Exporters, processors and propagators are other people's code: what they throw is told to OpenTelemetry's
 * own log, and the message goes on without them.
 */
export function guarded<Result>(work: () => Result, otherwise: () => Result): Result {
  try {
    return work();
  } catch (reason) {
    diag.error('nestjs-slim: telemetry failed', reason);
    return otherwise();
  }
}
