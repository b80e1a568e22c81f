import { Logger } from '@nestjs/common';
import { describeError } from '../server/event-run.js';
import { pause } from '../pause.js';
import type { SlimConnection } from '../slim-connection.js';

const retryMs = 1_000;

/**
 * Connects, however often it takes: participants can only be found while there is a connection. Settles,
 * never fails, when there is one or the signal is aborted.
 */
export async function connectUntilUp(
  connection: SlimConnection,
  signal: AbortSignal,
): Promise<void> {
  const logger = new Logger('SlimChannels');
  while (!signal.aborted) {
    try {
      await connection.connect();
      return;
    } catch (reason) {
      if (signal.aborted) return;
      logger.error(`Channels have no connection: ${describeError(reason)}`);
      connection.events.emit('error', reason, connection.name.service);
    }
    await pause(connection.settings.clock, retryMs, signal);
  }
}
