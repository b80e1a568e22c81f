import type { Report } from './report.js';

/** Somebody in the room. */
export interface BoardMember {
  readonly name: string;
  readonly online: boolean;
}

/** What the node saw of a message: the first copy that it forwarded, and how many there were. */
export interface NodeView {
  readonly by: string;
  readonly hex: string;
  /** Where in the frame the sealed payload is, in bytes. */
  readonly payloadAt: number;
  readonly payloadLength: number;
  /** Epoch of the keys it is sealed with, which the payload says in the clear. */
  readonly epoch?: number;
  readonly copies: number;
}

/** Something that happened in the room. */
export type BoardEntry =
  | {
      readonly kind: 'message';
      readonly by: string;
      readonly text: string;
      readonly readBy: readonly string[];
      readonly seen?: NodeView;
    }
  | {
      readonly kind: 'joined' | 'left';
      readonly who: readonly string[];
      /** Of the keys since then. */
      readonly epoch: number;
    };

/** Everything that the page shows. */
export interface BoardState {
  readonly room: string;
  /** Of the keys that the room has now. */
  readonly epoch: number;
  readonly members: readonly BoardMember[];
  /** Those who report what they read, in the room or not. */
  readonly agents: readonly string[];
  readonly entries: readonly BoardEntry[];
  /** Frames to the room that no message of it is known for: nobody in it could read them. */
  readonly unmatched: readonly NodeView[];
  readonly reports: readonly Exclude<Report, { kind: 'read' }>[];
  /** Chapters told, and the titles of all of them. */
  readonly told: number;
  readonly titles: readonly string[];
}
