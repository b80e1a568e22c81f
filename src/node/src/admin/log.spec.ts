import { SlimError } from '@nestjs-slim/core';
import { describe, expect, it } from '@jest/globals';
import type { LogLevel } from '../log-level.js';
import { createLog } from './log.js';

function setup(level?: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { log: createLog({ destination, ...(level && { level }) }), lines };
}

describe('createLog', () => {
  it('writes one line of JSON with level, time, fields and text', () => {
    const { log, lines } = setup();
    log.warn({ event: 'x', reason: new SlimError('refused', 'why') }, 'it happened');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    const reason = { code: 'refused', message: 'why' };
    expect(lines).toStrictEqual([
      { level: 'warn', time, event: 'x', reason, message: 'it happened' },
    ]);
  });

  it.each([
    ['trace', 4],
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['off', 0],
  ] as const)('with level %s writes %i of the four', (level, count) => {
    const { log, lines } = setup(level);
    for (const write of ['debug', 'info', 'warn', 'error'] as const) log[write]({}, 'text');
    expect(lines).toHaveLength(count);
  });
});
