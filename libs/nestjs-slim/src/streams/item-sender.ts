import { ItemCredit, nextSequence } from './item-credit.js';

/** Items on their way at once; a further one waits until one of them arrived. */
const maxInFlight = 64;

/** Sends the items of a stream: as many as the other side takes, numbered, several on their way at once. */
export class ItemSender {
  readonly credit: ItemCredit;
  private readonly failed: (reason: unknown) => void;
  private readonly inFlight = new Set<Promise<void>>();
  private sent = 0;

  /** `failed` hears of items that could not be published. */
  constructor(credit: number, failed: (reason: unknown) => void) {
    this.credit = new ItemCredit(credit);
    this.failed = failed;
  }

  /** The number of the next item, and after the last item how many there were. */
  get sequence(): number {
    return this.sent;
  }

  /** Publishes one that may go, see `ItemCredit.take`. Settles when there is room for the next. */
  async publish(send: (sequence: number) => Promise<void>): Promise<void> {
    const sending: Promise<void> = send(this.sent)
      .catch(this.failed)
      .finally(() => this.inFlight.delete(sending));
    this.sent = nextSequence(this.sent);
    this.inFlight.add(sending);
    if (this.inFlight.size >= maxInFlight) await Promise.race(this.inFlight);
  }

  /** Settles, never fails, when everything that was sent arrived or failed. */
  async idle(): Promise<void> {
    await Promise.all(this.inFlight);
  }
}
