import { Injectable } from '@nestjs/common';
import { Subject, asapScheduler, auditTime, map, startWith, type Observable } from 'rxjs';
import type { BoardEntry, BoardMember, BoardState, NodeView } from './board-state.js';
import { agents, room, shortName } from './names.js';
import type { Report } from './report.js';
import { chapters } from './script.js';
import { sealedEpoch } from './sealed-epoch.js';
import { keyOf, messageType, seenFrame, type MessageKey } from './seen-frame.js';

interface Said {
  readonly key: string;
  readonly by: string;
  readonly text: string;
}

type Change = Extract<BoardEntry, { readonly kind: 'joined' | 'left' }>;

/**
 * What is known of the room: what a member reads, and beside it what the node forwards. The two come by
 * different ways and in any order; session, sender and number of a message say what belongs together.
 */
@Injectable()
export class Board {
  private readonly changed$ = new Subject<void>();
  private readonly history: (Said | Change)[] = [];
  private readonly seen = new Map<string, NodeView>();
  /** Frames that were counted, since the node shows its past again when it is asked again. */
  private readonly counted = new Set<string>();
  private readonly readers = new Map<string, Set<string>>();
  private readonly reports: Exclude<Report, { kind: 'read' }>[] = [];
  private members: readonly BoardMember[] = [];
  private epoch = 0;
  private told = 0;

  /** Everything, now and after each change; changes of one moment come as one. */
  get state$(): Observable<BoardState> {
    return this.changed$.pipe(
      auditTime(0, asapScheduler),
      startWith(undefined),
      map(() => this.state()),
    );
  }

  isPresent(members: readonly BoardMember[], epoch: bigint): void {
    this.members = members;
    this.epoch = Number(epoch);
    this.changed$.next();
  }

  change(kind: Change['kind'], who: readonly string[]): void {
    this.history.push({ kind, who, epoch: this.epoch });
    this.changed$.next();
  }

  said(key: MessageKey, text: string): void {
    this.history.push({ key: keyOf(key), by: shortName(key.source), text });
    this.changed$.next();
  }

  chapterTold(count: number): void {
    this.told = count;
    this.changed$.next();
  }

  /** An agent tells what it experiences. */
  reported(report: Report): void {
    if (report.kind === 'read') this.readersOf(keyOf(report.message)).add(report.by);
    else this.reports.push(report);
    this.changed$.next();
  }

  /** The node forwarded a frame. Only messages to the room are of interest. */
  forwarded(bytes: Uint8Array): void {
    const frame = seenFrame(bytes);
    if (frame?.messageType !== messageType.msg || frame.destination.service !== room) return;
    const hex = Buffer.from(bytes).toString('hex');
    if (this.counted.has(hex)) return;
    this.counted.add(hex);
    const source = String(frame.source);
    const key = keyOf({ ...frame, source });
    const known = this.seen.get(key);
    const epoch = sealedEpoch(frame.payload);
    const first = {
      by: shortName(source),
      hex,
      payloadAt: frame.payload.byteOffset - bytes.byteOffset,
      payloadLength: frame.payload.length,
      ...(epoch !== undefined && { epoch }),
      copies: 0,
    };
    const view = known ?? first;
    this.seen.set(key, { ...view, copies: view.copies + 1 });
    this.changed$.next();
  }

  private state(): BoardState {
    const known = new Set(this.history.flatMap((entry) => ('key' in entry ? [entry.key] : [])));
    return {
      room,
      epoch: this.epoch,
      members: this.members,
      agents,
      entries: this.history.map((entry) => ('key' in entry ? this.message(entry) : entry)),
      unmatched: [...this.seen].flatMap(([key, view]) => (known.has(key) ? [] : [view])),
      reports: this.reports,
      told: this.told,
      titles: chapters.map(({ title }) => title),
    };
  }

  private message({ key, by, text }: Said): BoardEntry {
    const seen = this.seen.get(key);
    const readBy = [...this.readersOf(key)];
    return { kind: 'message', by, text, readBy, ...(seen && { seen }) };
  }

  private readersOf(key: string): Set<string> {
    const known = this.readers.get(key) ?? new Set();
    this.readers.set(key, known);
    return known;
  }
}
