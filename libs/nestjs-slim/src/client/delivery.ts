/** How messages to a name go. */
export interface Delivery {
  readonly mls: boolean;
  readonly reliable: boolean;
  /** Always the same instance, or whichever answers now; with MLS always sticky. */
  readonly mode: DeliveryMode;
}

export type DeliveryMode = 'sticky' | 'anycast';

/** What is asked for, where a call does not say otherwise. MLS needs a session that lasts. */
export function delivery(defaults: Omit<Delivery, 'mode'>, wanted: Partial<Delivery>): Delivery {
  const { mls = defaults.mls, reliable = defaults.reliable, mode = 'sticky' } = wanted;
  return { mls, reliable, mode: mls ? 'sticky' : mode };
}
