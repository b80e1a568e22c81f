import type { Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { frame, type Frame } from '../wire/frame.js';
import { fanout, slimHeader, subscription, type SubscriptionAck } from '../wire/header.js';
import type { WireName } from '../wire/wire-name.js';

/** What subscriptions need of the application. */
export interface SubscriptionsContext {
  readonly clock: Clock;
  /** A random id that was never used. */
  newId(): bigint;
  /** The identity token that goes with a subscription of the application's own names. */
  token(): string;
  send(message: Frame): void;
}

const ackTimeoutMs = 10_000;

interface Waiting {
  settle(ack: SubscriptionAck | undefined): void;
}

/** The names an application receives messages for, kept subscribed across reconnections. */
export class Subscriptions {
  readonly #context: SubscriptionsContext;
  readonly #source: WireName;
  readonly #names = new Map<string, { readonly name: WireName; id: bigint }>();
  readonly #waiting = new Map<bigint, Waiting>();

  constructor(context: SubscriptionsContext, source: WireName) {
    this.#context = context;
    this.#source = source;
  }

  /** True when the three components are among the subscribed names. */
  owns(name: WireName): boolean {
    for (const known of this.#names.values()) if (known.name.prefix === name.prefix) return true;
    return false;
  }

  /** Settles when the node confirmed. @throws SlimError `timeout`, `link-failed` when it refused */
  async add(name: WireName): Promise<void> {
    const id = this.#context.newId();
    this.#names.set(name.key, { name, id });
    await this.#exchange('subscribe', name, id);
  }

  /** Settles when the node confirmed. Does nothing for a name that is not subscribed. */
  async remove(name: WireName): Promise<void> {
    const known = this.#names.get(name.key);
    if (!known) return;
    this.#names.delete(name.key);
    await this.#exchange('unsubscribe', name, known.id);
  }

  /** Subscribes everything anew on a new link; ids are never used twice (reference: data plane 4.6). */
  async renew(): Promise<void> {
    const renewed = [...this.#names.values()].map((known) => {
      known.id = this.#context.newId();
      return this.#exchange('subscribe', known.name, known.id);
    });
    await Promise.all(renewed);
  }

  acknowledged(ack: SubscriptionAck): void {
    this.#waiting.get(ack.id)?.settle(ack);
  }

  /** Waits for acknowledgements that cannot come any more are over. */
  interrupt(): void {
    for (const waiting of this.#waiting.values()) waiting.settle(undefined);
  }

  #exchange(kind: 'subscribe' | 'unsubscribe', name: WireName, id: bigint): Promise<void> {
    const text = name.text;
    return new Promise((resolve, reject) => {
      const cancel = this.#context.clock.schedule(ackTimeoutMs, () => {
        this.#waiting.delete(id);
        reject(
          new SlimError('timeout', `the node did not confirm "${text}" in ${ackTimeoutMs} ms`),
        );
      });
      this.#waiting.set(id, {
        settle: (ack) => {
          cancel();
          this.#waiting.delete(id);
          if (ack?.success) resolve();
          else if (ack) reject(new SlimError('link-failed', `${kind} "${text}": ${ack.error}`));
          else reject(new SlimError('link-closed', `the link was lost during ${kind} "${text}"`));
        },
      });
      this.#send(kind, name, id);
    });
  }

  #send(kind: 'subscribe' | 'unsubscribe', name: WireName, id: bigint): void {
    const header = slimHeader.make({
      source: this.#source,
      destination: name,
      identity: this.#context.token(),
      fanout: fanout.one,
    });
    this.#context.send(frame.make({ [kind]: subscription.make({ header, id }) }));
  }
}
