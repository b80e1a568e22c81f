/** What `tracing.log_level` may say: the levels of the official node. */
export const logLevels = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const;

export type LogLevel = (typeof logLevels)[number];
