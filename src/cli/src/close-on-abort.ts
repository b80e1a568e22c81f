import type { SlimApp } from '@nestjs-slim/platform-node';

/**
 * Closes an application when the signal fires, at once when it has already: connecting and subscribing take
 * time. Returns how to stop listening.
 */
export function closeOnAbort(app: Pick<SlimApp, 'close'>, signal: AbortSignal): () => void {
  const close = (): void => void app.close();
  if (signal.aborted) close();
  signal.addEventListener('abort', close, { once: true });
  return () => signal.removeEventListener('abort', close);
}
