import fc from 'fast-check';
import {
  commandPayload,
  participant,
  type CommandPayload,
} from '../../libs/slim-core/src/wire/command-payload.js';
import { messageType } from '../../libs/slim-core/src/wire/session-header.js';
import type { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import type { Proof } from './hostile-member.js';

const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(of, { nil: undefined });

export const number32 = fc.oneof(
  fc.nat({ max: 20 }),
  fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
  fc.nat({ max: 2 ** 32 - 1 }),
);
const epoch = fc.oneof(
  fc.bigInt(0n, 5n),
  fc.constantFrom(2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n),
);

/** Any payload of a control message, about any of some names, with bytes from a list or none that mean anything. */
export function commandAbout(
  names: fc.Arbitrary<WireName>,
  blobs: fc.Arbitrary<Uint8Array>,
): fc.Arbitrary<Partial<CommandPayload>> {
  const settings = fc.record({ sendsData: fc.boolean(), receivesData: fc.boolean() });
  const member = fc
    .record({ name: maybe(names), settings: maybe(settings), status: fc.nat({ max: 3 }) })
    .map((fields) => participant.make(fields));
  const mls = maybe(fc.record({ commitId: number32, content: blobs }));
  const members = fc.array(member, { maxLength: 4 });
  const timers = maybe(fc.record({ timeoutMs: number32, maxRetries: number32 }));
  const integrity = maybe(fc.record({ headerIntegrityPercent: number32 }));
  const empty = fc.constant({});
  const all = fc.oneof(
    fc.record({ discoveryRequest: empty }),
    fc.record({ discoveryReply: empty }),
    fc.record({
      joinRequest: fc.record({
        ...{ timers, channel: maybe(names), control: maybe(names), mls: integrity },
      }),
    }),
    fc.record({ joinReply: fc.record({ keyPackage: maybe(blobs), participant: maybe(member) }) }),
    fc.record({ leaveRequest: empty }),
    fc.record({ leaveReply: empty }),
    fc.record({
      groupUpdate: fc.record({
        ...{ op: fc.nat({ max: 4 }), participant: maybe(member), participants: members, mls },
      }),
    }),
    fc.record({ groupWelcome: fc.record({ participants: members, mls }) }),
    fc.record({ groupClose: fc.record({ participants: fc.array(names, { maxLength: 3 }) }) }),
    fc.record({ groupProposal: fc.record({ source: maybe(names), proposal: blobs }) }),
    fc.record({ groupAck: empty }),
    fc.record({ groupNack: empty }),
    fc.record({ heartbeat: fc.record({ epoch }) }),
    fc.record({
      updateParticipantState: fc.record({
        ...{ participant: maybe(names), state: fc.nat({ max: 3 }), epoch },
      }),
    }),
    fc.record({ rejoinRequest: fc.record({ participant: maybe(names), keyPackage: blobs }) }),
    fc.record({ rejoinReply: fc.record({ commitId: number32, content: blobs }) }),
  );
  return all.map((fields) => commandPayload.make(fields));
}

/** The type of message that belongs to a payload. */
export function typeOf(command: Partial<CommandPayload>): number {
  for (const [key, value] of Object.entries(command)) {
    if (value !== undefined && isType(key)) return messageType[key];
  }
  return messageType.unspecified;
}

const isType = (key: string): key is keyof typeof messageType => key in messageType;

export const proofs: fc.Arbitrary<Proof> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('own') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('unsigned', 'wrongly signed', 'foreign', 'none'),
  },
);
