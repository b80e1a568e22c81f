import type { BoardEntry, BoardState } from './board-state.js';
import { agents, names, shortName, type Role } from './names.js';

/** Something that the demo claims, whether it is so, and what shows it. */
export interface Proof {
  readonly claim: string;
  readonly holds: boolean;
  readonly shownBy: readonly string[];
}

type Message = Extract<BoardEntry, { readonly kind: 'message' }>;

/** A message, and the agents that were in the room when it was said, its sender left out. */
interface Heard {
  readonly message: Message;
  readonly present: readonly string[];
}

/** Who should have read what: who was in the room in the epoch that a message is sealed in. */
function heardBy({ entries }: BoardState): readonly Heard[] {
  const messages = entries.filter((entry) => entry.kind === 'message');
  const changes = entries.filter((entry) => entry.kind !== 'message');
  return messages.map((message) => {
    const present = new Set<string>();
    for (const { kind, who, epoch } of changes) {
      if (epoch > (message.seen?.epoch ?? -1)) continue;
      for (const name of who) {
        if (kind === 'joined') present.add(name);
        else present.delete(name);
      }
    }
    present.delete(message.by);
    return { message, present: agents.filter((agent) => present.has(agent)) };
  });
}

/** True when all that can come has come: each message's frame and readers, and the contractor's reports. */
export function isComplete(state: BoardState): boolean {
  const knows = state.reports.filter(({ kind }) => kind === 'refused').length === 2;
  return (
    knows &&
    heardBy(state).every(
      ({ message, present }) =>
        message.seen !== undefined && present.every((agent) => message.readBy.includes(agent)),
    )
  );
}

/** What the demo is about. `frames` is everything that the node forwarded. */
export function proofsOf(state: BoardState, frames: readonly Uint8Array[]): readonly Proof[] {
  return [
    ...(['contractor', 'security'] as const).map((agent) => readsOnlyItsTime(state, agent)),
    keysChangeWithMembers(state),
    removalHolds(state),
    framesAreSealed(state, frames),
  ];
}

function readsOnlyItsTime(state: BoardState, agent: Role): Proof {
  const others = heardBy(state).filter(({ message }) => message.by !== agent);
  const couldRead = ({ message }: Heard): boolean => message.readBy.includes(agent);
  const read = others.filter(couldRead).length;
  const time = agent === 'contractor' ? 'before its removal' : 'after it joined';
  return {
    claim: `${agent} read what was said ${time}, and nothing else`,
    holds:
      read > 0 &&
      read < others.length &&
      others.every((heard) => couldRead(heard) === heard.present.includes(agent)),
    shownBy: [
      `it read ${read} of ${others.length} messages of the others:`,
      ...others.map((heard) => {
        const { by, text } = heard.message;
        return `${couldRead(heard) ? '  read ' : '  -----'} ${by}: ${text}`;
      }),
    ],
  };
}

function keysChangeWithMembers({ entries }: BoardState): Proof {
  const changes = entries.filter((entry) => entry.kind !== 'message');
  const epochs = changes.map(({ epoch }) => epoch);
  const sealedIn = new Set(
    entries.flatMap((entry) => (entry.kind === 'message' ? [entry.seen?.epoch] : [])),
  );
  return {
    claim:
      'every change of the members changed the keys, and what was said then is sealed with them',
    holds:
      epochs.length === 3 &&
      epochs.every((epoch, at) => epoch > (epochs[at - 1] ?? 0) && sealedIn.has(epoch)) &&
      sealedIn.size === epochs.length,
    shownBy: changes.map(({ epoch, who, kind }) => `epoch ${epoch}: ${who.join(', ')} ${kind}`),
  };
}

function removalHolds({ reports, unmatched }: BoardState): Proof {
  const sealed = reports.find((report) => report.kind === 'sealed');
  const out = reports.find((report) => report.kind === 'out');
  const refused = reports.filter((report) => report.kind === 'refused');
  const attempts = unmatched.filter(({ by }) => by === 'contractor').length;
  return {
    claim: 'the contractor ignored its removal, and gained nothing',
    holds:
      (sealed?.frames ?? 0) > 0 &&
      sealed?.opened === 0 &&
      refused.map(({ code }) => code).join() === 'not-delivered,not-a-member' &&
      attempts === 1 &&
      out !== undefined,
    shownBy: [
      `${sealed?.frames ?? 0} messages still reached it, it opened ${sealed?.opened ?? '?'}`,
      ...refused.map(({ when, code }) => `it tried to publish ${when}: ${code}`),
      `the node forwarded ${attempts} message of it that nobody in the room took`,
      `then it heard: ${out?.reason ?? 'nothing'}`,
    ],
  };
}

function framesAreSealed(state: BoardState, frames: readonly Uint8Array[]): Proof {
  const buffers = frames.map((frame) => Buffer.from(frame));
  const framesWith = (text: string): number =>
    buffers.filter((frame) => frame.includes(text)).length;
  const texts = heardBy(state).map(({ message }) => message.text);
  const readable = texts.filter((text) => framesWith(text) > 0).length;
  const sender = shortName(names.database);
  return {
    claim: 'no message was readable in any frame that the node forwarded',
    // That the name is found shows that the search finds what is there.
    holds: frames.length > 0 && readable === 0 && framesWith(sender) > 0,
    shownBy: [
      `${frames.length} frames, ${readable} of ${texts.length} texts found in them`,
      `what a node does see: the name "${sender}" is in ${framesWith(sender)} of them`,
    ],
  };
}
