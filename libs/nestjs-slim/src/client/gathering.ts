import { SlimError, type Cancel, type Clock, type SlimName } from '@nestjs-slim/core';
import { Observable, type Subscriber } from 'rxjs';
import { timeLimit } from '../time-limit.js';

/** How every instance of a name is asked. */
export interface SendAllOptions {
  /** Milliseconds until whoever has not answered is counted as missing; the client's `requestTimeoutMs` unless given. */
  readonly deadline?: number;
  /** How many instances have to answer, and are enough; all that are found unless given. */
  readonly quorum?: number;
  /** How long to look for instances; the client's, and at most half of the deadline, unless given. */
  readonly discoveryMs?: number;
}

/** What comes of asking every instance: answers as they come and, in the end, who did what. */
export type Gathered<Response> =
  | { readonly kind: 'answer'; readonly from: SlimName; readonly value: Response }
  | { readonly kind: 'failure'; readonly from: SlimName; readonly error: unknown }
  | {
      readonly kind: 'summary';
      readonly answered: readonly SlimName[];
      readonly failed: readonly SlimName[];
      /** Found, and not done with their answer by the end. */
      readonly missing: readonly SlimName[];
    };

/** What a gathering asks of its client. */
export interface GatheringOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly quorum: number | undefined;
  /** Those that answer to the name, until the signal is aborted. */
  instances(signal: AbortSignal): AsyncIterable<SlimName>;
  /** Asks one instance. */
  ask(instance: SlimName): Observable<unknown>;
}

type State = 'asked' | 'answered' | 'failed';

/** Asks every instance that is found, each as soon as it is, and gives what they answer. */
export function gather<Response>(options: GatheringOptions): Observable<Gathered<Response>> {
  return new Observable((subscriber) => {
    const gathering = new Gathering<Response>(options, subscriber);
    void gathering.run();
    return () => gathering.stop();
  });
}

class Gathering<Response> {
  private readonly options: GatheringOptions;
  private readonly subscriber: Subscriber<Gathered<Response>>;
  private readonly states = new Map<SlimName, State>();
  private readonly subscriptions: (() => void)[] = [];
  private readonly cancelDeadline: Cancel;
  private readonly search = new AbortController();
  private isSearching = true;
  private isOver = false;

  constructor(options: GatheringOptions, subscriber: Subscriber<Gathered<Response>>) {
    this.options = options;
    this.subscriber = subscriber;
    this.cancelDeadline = timeLimit(options.clock, options.deadlineMs, () => this.finish());
  }

  /** Settles, never fails, when no further instance is looked for. */
  async run(): Promise<void> {
    try {
      for await (const instance of this.options.instances(this.search.signal)) {
        if (this.isOver) return;
        this.ask(instance);
      }
    } catch (reason) {
      if (this.isOver) return;
      this.stop();
      this.subscriber.error(reason);
    }
    this.isSearching = false;
    this.finishWhenDone();
  }

  /** Cancels what is not answered. */
  stop(): void {
    this.isOver = true;
    this.cancelDeadline();
    this.search.abort(new SlimError('aborted', 'the search is over'));
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
  }

  private ask(from: SlimName): void {
    this.states.set(from, 'asked');
    const subscription = this.options.ask(from).subscribe({
      next: (value) => this.subscriber.next({ kind: 'answer', from, value: value as Response }),
      error: (error: unknown) => {
        this.subscriber.next({ kind: 'failure', from, error });
        this.settled(from, 'failed');
      },
      complete: () => this.settled(from, 'answered'),
    });
    this.subscriptions.push(() => subscription.unsubscribe());
  }

  private settled(from: SlimName, state: State): void {
    if (this.isOver) return;
    this.states.set(from, state);
    if (this.namesOf('answered').length === this.options.quorum) this.finish();
    else this.finishWhenDone();
  }

  private finishWhenDone(): void {
    if (!this.isSearching && this.namesOf('asked').length === 0) this.finish();
  }

  private finish(): void {
    if (this.isOver) return;
    this.stop();
    const answered = this.namesOf('answered');
    const { quorum = 0 } = this.options;
    if (answered.length < quorum) {
      const found = `${answered.length} of ${this.states.size} instances answered`;
      return this.subscriber.error(new SlimError('timeout', `${found}, ${quorum} were wanted`));
    }
    const [failed, missing] = [this.namesOf('failed'), this.namesOf('asked')];
    this.subscriber.next({ kind: 'summary', answered, failed, missing });
    this.subscriber.complete();
  }

  private namesOf(wanted: State): readonly SlimName[] {
    return [...this.states].filter(([, state]) => state === wanted).map(([name]) => name);
  }
}
