import type * as Mls from './mls-group.js';

let loading: Promise<typeof Mls> | undefined;

/**
 * The group keys with the library below them, which takes longer to load than all the rest: not before
 * the first session that has keys (bench case `start-up`).
 */
export function loadMls(): Promise<typeof Mls> {
  loading ??= import('./mls-group.js');
  return loading;
}
