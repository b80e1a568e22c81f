import { ItemCredit, nextSequence } from './item-credit.js';

/** Items on their way at once; a further one waits until one of them arrived. */
const maxInFlight = 64;

/** Sends the items of a stream: as many as the other side takes, numbered, several on their way at once. */
export class ItemSender {
  readonly credit: ItemCredit;
  private readonly failed: (reason: unknown) => void;
  private inFlight = 0;
  private sent = 0;
  private whenRoom: () => void = nothing;
  private whenNone: () => void = nothing;

  /** `failed` hears of items that could not be published. */
  constructor(credit: number, failed: (reason: unknown) => void) {
    this.credit = new ItemCredit(credit);
    this.failed = failed;
  }

  /** The number of the next item, and after the last item how many there were. */
  get sequence(): number {
    return this.sent;
  }

  /** Publishes one that may go, see `ItemCredit.take`. Gives a promise when the next one has to wait for room. */
  publish(send: (sequence: number) => Promise<void>): Promise<void> | undefined {
    this.inFlight += 1;
    const sending = send(this.sent);
    this.sent = nextSequence(this.sent);
    sending.then(this.arrived, this.lost);
    if (this.inFlight < maxInFlight) return undefined;
    return new Promise((resolve) => (this.whenRoom = resolve));
  }

  /** Calls back once when everything that was sent arrived or failed; at once when it did. */
  whenIdle(listener: () => void): void {
    if (this.inFlight === 0) listener();
    else this.whenNone = listener;
  }

  private readonly arrived = (): void => {
    this.inFlight -= 1;
    const { whenRoom, whenNone } = this;
    this.whenRoom = nothing;
    whenRoom();
    if (this.inFlight > 0) return;
    this.whenNone = nothing;
    whenNone();
  };

  private readonly lost = (reason: unknown): void => {
    this.failed(reason);
    this.arrived();
  };
}

const nothing = (): void => undefined;
