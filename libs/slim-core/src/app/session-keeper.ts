import { SlimError } from '../errors/slim-error.js';
import type { BaseSession } from '../session/base-session.js';
import type { ToKeep } from '../session/session-record.js';
import type { SealedStore } from '../store/sealed-store.js';
import type { StateChange } from '../store/state-store.js';

/** The records of one session. Their key is its id. */
export const recordKinds = {
  /** What it is and who is in it. */
  session: 'session',
  /** The keys of its epoch. */
  epoch: 'epoch',
  /** What changes of its keys need. */
  tree: 'tree',
  /** The number of its last message. */
  number: 'number',
} as const;

/** Without order nobody misses a number, so they need not be written one by one. */
const numbersAhead = 256;

/** Keeps the sessions of one application. */
export class SessionKeeper {
  readonly #store: SealedStore;
  readonly #dropped: (reason: SlimError) => void;
  /** Those that are kept, and the numbers that are marked as used. */
  readonly #kept = new Map<BaseSession, number>();

  constructor(store: SealedStore, dropped: (reason: SlimError) => void) {
    this.#store = store;
    this.#dropped = dropped;
  }

  /** True for a session that goes on after the next start. */
  has(session: BaseSession): boolean {
    return this.#kept.has(session) && !session.isClosing;
  }

  /** Goes on keeping a session that was restored. */
  resume(session: BaseSession): void {
    const kept = session.toKeep();
    if (!kept) return;
    this.#kept.set(session, kept.lastId);
    this.#watch(session, kept);
  }

  /**
   * Keeps a session as it is now. When that fails the application hears of it, the session cannot use up what is
   * not kept, and this returns false.
   */
  keep(session: BaseSession): boolean {
    const kept = session.toKeep();
    if (!kept) return true;
    if (!this.#kept.has(session)) this.#kept.set(session, 0);
    this.#watch(session, kept);
    try {
      this.#write(session, kept);
      return true;
    } catch (reason) {
      this.#dropped(SlimError.from(reason, 'store-failed', 'keeping a session'));
      return false;
    }
  }

  /** Marks the number of a message as used. @throws SlimError `store-failed` */
  number(session: BaseSession, messageId: number): void {
    const known = this.#kept.get(session);
    if (
      known === undefined ||
      (!session.reliable && messageId <= known && known - messageId < numbersAhead)
    ) {
      return;
    }
    const used = session.reliable ? messageId : messageId + numbersAhead;
    // Lost by a power failure at most: a flush for each message would take longer than all the rest.
    this.#store.write([numberRecord(session, used)], { flush: false });
    this.#kept.set(session, used);
  }

  /** A session is over: nothing of it is kept any longer. */
  forget(session: BaseSession): void {
    if (!this.#kept.delete(session)) return;
    const key = `${session.id}`;
    const changes = Object.values(recordKinds).map((kind) => ({ kind, key, value: undefined }));
    try {
      this.#store.write(changes, { flush: true });
    } catch (reason) {
      this.#dropped(SlimError.from(reason, 'store-failed', 'forgetting a session'));
    }
  }

  /** Leaves a session as it is for the next start, whatever becomes of it here. */
  release(session: BaseSession): void {
    this.keep(session);
    this.#kept.delete(session);
  }

  #watch(session: BaseSession, { group }: ToKeep): void {
    group?.keepWith((isNeeded) => {
      if (!this.#kept.has(session)) return;
      const kept = session.toKeep();
      // A group that was replaced meanwhile opens what comes late, and seals nothing.
      if (kept?.group !== group) return;
      if (isNeeded) this.#write(session, kept);
      else this.keep(session);
    });
  }

  #write(session: BaseSession, { record, group, lastId }: ToKeep): void {
    const key = `${session.id}`;
    const kept = group?.kept();
    const value = new TextEncoder().encode(JSON.stringify(record));
    const changes: StateChange[] = [{ kind: recordKinds.session, key, value }];
    if (kept) changes.push({ kind: recordKinds.epoch, key, value: kept.epoch });
    if (kept?.tree) changes.push({ kind: recordKinds.tree, key, value: kept.tree });
    // A member that was invited again goes on with its numbers, of which nothing is kept any more.
    const goesOn = lastId !== 0 && this.#kept.get(session) === 0;
    if (goesOn) changes.push(numberRecord(session, lastId));
    this.#store.write(changes, { flush: true });
    if (goesOn) this.#kept.set(session, lastId);
    kept?.done();
  }
}

function numberRecord({ id }: BaseSession, used: number): StateChange {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, used);
  return { kind: recordKinds.number, key: `${id}`, value };
}
