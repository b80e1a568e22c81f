import type { SlimName } from '@nestjs-slim/core';

/** How messages to a name go. */
export interface Delivery {
  readonly mls: boolean;
  readonly reliable: boolean;
  /** As the client does it unless given: shared by its `spread`. */
  readonly mode: DeliveryMode | undefined;
}

/** Always the same instance, or whichever answers now. */
export type DeliveryMode = 'sticky' | 'anycast';

/** What is asked for, where a call does not say otherwise. MLS needs a session that lasts. */
export function delivery(defaults: Omit<Delivery, 'mode'>, wanted: Partial<Delivery>): Delivery {
  const { mls = defaults.mls, reliable = defaults.reliable, mode } = wanted;
  return { mls, reliable, mode: mls && mode === 'anycast' ? 'sticky' : mode };
}

/** One text for messages that may share a session. */
export function deliveryKey(target: SlimName, { mls, reliable }: Delivery): string {
  return `${String(target)} ${mls} ${reliable}`;
}
