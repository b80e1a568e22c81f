import { isPromise } from './when-known.js';

/** Something whose `init`, if it has one, has to be over before it is used. */
export class Prepared<Subject extends { init?(): unknown }> {
  private readonly subject: Subject;
  private preparation: Promise<void> | undefined;
  private isReady = false;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Uses it: at once, unless `init` takes time. One that failed is tried again by the next use. */
  use<Result>(work: (subject: Subject) => Result): Result | Promise<Awaited<Result>> {
    if (!this.isReady) this.prepare();
    if (!this.preparation) return work(this.subject);
    return this.preparation.then(() => work(this.subject)) as Promise<Awaited<Result>>;
  }

  private prepare(): void {
    if (this.preparation) return;
    const done: unknown = this.subject.init?.();
    this.isReady = !isPromise(done);
    if (!isPromise(done)) return;
    this.preparation = Promise.resolve(done)
      .then(() => void (this.isReady = true))
      .finally(() => (this.preparation = undefined));
  }
}
