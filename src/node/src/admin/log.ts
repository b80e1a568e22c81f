import { pino, type DestinationStream } from 'pino';
import type { LogLevel } from '../log-level.js';
import { cleanFields, cleanText } from './clean-fields.js';

/** Writes one line of JSON for each call: the fields, and a text for people. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** How a log is made. */
export interface LogOptions {
  /** Less important lines are not written; `info` unless given. */
  readonly level?: LogLevel;
  /** Where lines go; standard error unless given. */
  readonly destination?: DestinationStream;
}

/**
 * The log of a node. What is named or looks like a secret is replaced in every line, whoever writes it, and
 * a line is out when the call returns, so none is lost at the end of the process.
 */
export function createLog({ level = 'info', destination = standardError() }: LogOptions = {}): Log {
  const logger = pino(
    {
      level: level === 'off' ? 'silent' : level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  // Not `formatters.log`: pino turns errors into stacks before that sees them.
  const line = (write: 'debug' | 'info' | 'warn' | 'error') => (fields: object, text: string) => {
    if (logger.isLevelEnabled(write)) logger[write](cleanFields(fields), cleanText(text));
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

function standardError(): DestinationStream {
  return pino.destination({ fd: 2, sync: true });
}
