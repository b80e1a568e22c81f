import type { Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { frame, type Frame } from '../wire/frame.js';
import { fanout, slimHeader, subscription, type SubscriptionAck } from '../wire/header.js';
import type { WireName } from '../wire/wire-name.js';

/** Names the application is found under carry its token; those of channels do not. */
type Kind = 'application' | 'channel';

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

interface Subscribed {
  readonly name: WireName;
  readonly kind: Kind;
  id: bigint;
}

interface Waiting {
  settle(ack: SubscriptionAck | undefined): void;
}

/** The names an application receives messages for, kept subscribed across reconnections. */
export class Subscriptions {
  readonly #context: SubscriptionsContext;
  readonly #source: WireName;
  readonly #names = new Map<string, Subscribed>();
  readonly #waiting = new Map<bigint, Waiting>();

  constructor(context: SubscriptionsContext, source: WireName) {
    this.#context = context;
    this.#source = source;
  }

  /** True when the three components are among the names the application is found under. */
  owns(name: WireName): boolean {
    for (const { name: known, kind } of this.#names.values()) {
      if (kind === 'application' && known.prefix === name.prefix) return true;
    }
    return false;
  }

  /** Settles when the node confirmed. @throws SlimError `timeout`, `link-failed` when it refused */
  async add(name: WireName, kind: Kind = 'application'): Promise<void> {
    // A name that is there keeps its id: the node counts ids, and `remove` takes back one.
    const known = this.#names.get(name.key);
    const subscribed = known ?? { name, kind, id: this.#context.newId() };
    this.#names.set(name.key, subscribed);
    await this.#exchange('subscribe', subscribed);
  }

  /** Settles when the node confirmed. Does nothing for a name that is not subscribed. */
  async remove(name: WireName): Promise<void> {
    const known = this.#names.get(name.key);
    if (!known) return;
    this.#names.delete(name.key);
    await this.#exchange('unsubscribe', known);
  }

  /** Subscribes everything anew on a new link; ids are never used twice (reference: data plane 4.6). */
  async renew(): Promise<void> {
    const renewed = [...this.#names.values()].map((known) => {
      known.id = this.#context.newId();
      return this.#exchange('subscribe', known);
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

  #exchange(verb: 'subscribe' | 'unsubscribe', subscribed: Subscribed): Promise<void> {
    const { name, id } = subscribed;
    const text = name.text;
    return new Promise((resolve, reject) => {
      const earlier = this.#waiting.get(id);
      const cancel = this.#context.clock.schedule(ackTimeoutMs, () => {
        if (this.#waiting.get(id) === waiting) this.#waiting.delete(id);
        reject(
          new SlimError('timeout', `the node did not confirm "${text}" in ${ackTimeoutMs} ms`),
        );
      });
      const waiting: Waiting = {
        settle: (ack) => {
          earlier?.settle(ack);
          cancel();
          this.#waiting.delete(id);
          if (ack?.success) resolve();
          else if (ack) reject(new SlimError('link-failed', `${verb} "${text}": ${ack.error}`));
          else reject(new SlimError('link-closed', `the link was lost during ${verb} "${text}"`));
        },
      };
      this.#waiting.set(id, waiting);
      this.#send(verb, subscribed);
    });
  }

  #send(verb: 'subscribe' | 'unsubscribe', { name, kind, id }: Subscribed): void {
    const header = slimHeader.make({
      source: this.#source,
      destination: name,
      identity: kind === 'application' ? this.#context.token() : '',
      fanout: fanout.one,
    });
    this.#context.send(frame.make({ [verb]: subscription.make({ header, id }) }));
  }
}
