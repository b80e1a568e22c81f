import type { MessageKey } from './seen-frame.js';

/** What an agent tells the board about itself, by an event of its own and not in the room. */
export type Report =
  /** It could read a message. */
  | {
      readonly kind: 'read';
      readonly by: string;
      readonly message: MessageKey;
      readonly text: string;
    }
  /** So many sealed messages reached it after its removal, and it could open so many of them. */
  | {
      readonly kind: 'sealed';
      readonly by: string;
      readonly frames: number;
      readonly opened: number;
    }
  /** It tried to publish and got an error with this code. */
  | { readonly kind: 'refused'; readonly by: string; readonly when: string; readonly code: string }
  /** It heard that the channel is over for it. */
  | { readonly kind: 'out'; readonly by: string; readonly reason: string };

/** The event under which the board takes reports. */
export const reportEvent = 'report';
