import { SlimError } from './slim-error.js';

/**
 * What a promise gives, for work that does not look at a signal itself: it must not keep anybody waiting.
 * @throws SlimError as soon as the signal fires: its reason, as `aborted` unless that is a SlimError already
 */
export function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(SlimError.from(signal.reason, 'aborted'));
    signal.addEventListener('abort', abort);
    const done = (): void => signal.removeEventListener('abort', abort);
    work.finally(done).then(resolve, reject);
    if (signal.aborted) abort();
  });
}
