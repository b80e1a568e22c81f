import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger, type LoggerService } from '@nestjs/common';
import { SlimError } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { DroppedLog } from './dropped-log.js';

const lines: unknown[] = [];
const logger: LoggerService = {
  log: () => undefined,
  error: () => undefined,
  warn: (message) => void lines.push(message),
};

describe('DroppedLog', () => {
  afterEach(() => {
    Logger.overrideLogger(false);
    lines.length = 0;
  });

  it('logs the first of each code, and then one in ten seconds that counts the others', () => {
    Logger.overrideLogger(logger);
    const clock = new ManualClock();
    const log = new DroppedLog(clock);
    const dropped = (code: 'malformed-frame' | 'identity-rejected') =>
      log.add(new SlimError(code, 'by the test'));
    for (let count = 0; count < 5; count += 1) dropped('malformed-frame');
    dropped('identity-rejected');
    clock.advance(10_000);
    dropped('malformed-frame');
    expect(lines).toStrictEqual([
      'refused a message: malformed-frame: "by the test"',
      'refused a message: identity-rejected: "by the test" (and 4 more since the last line)',
      'refused a message: malformed-frame: "by the test"',
    ]);
  });
});
