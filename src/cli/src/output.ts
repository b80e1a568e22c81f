import { SlimError } from '@nestjs-slim/core';

/** Writes one result as one line of JSON on standard output, for scripts to read. */
export function print(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

/** Writes a line for people on standard error. */
export function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A failure as one line for people. */
export function formatFailure(reason: unknown): string {
  const { code, message } = SlimError.from(reason, 'invalid-config');
  return `${code}: ${message}`;
}

/** Writes a failure as a result and makes the process end with code 1. */
export function printFailure(reason: unknown): void {
  const { code, message } = SlimError.from(reason, 'invalid-config');
  print('error', { code, message });
  process.exitCode = 1;
}
