import {
  bool,
  bytes,
  message,
  optionalBytes,
  repeated,
  sub,
  uint32,
  uint64,
  type Infer,
} from './schema.js';
import { wireName } from './wire-name.js';

// The payloads of control messages (reference: data plane 2.5, sessions 3).

export const participantState = { online: 0, offline: 1 } as const;
export const groupUpdateOp = { add: 0, remove: 1, rejoin: 2 } as const;

const participantSettings = message({ sendsData: bool(1), receivesData: bool(2) });
export const participant = message({
  name: sub(1, wireName),
  settings: sub(2, participantSettings),
  status: uint32(3),
});
export type Participant = Infer<typeof participant>;

const timerSettings = message({ timeoutMs: uint32(1), maxRetries: uint32(2) });
const mlsSettings = message({ headerIntegrityPercent: uint32(1) });
const mlsPayload = message({ commitId: uint32(1), content: bytes(2) });
export type MlsPayload = Infer<typeof mlsPayload>;

const empty = message({});
const joinRequest = message({
  timers: sub(1, timerSettings),
  channel: sub(2, wireName),
  control: sub(3, wireName),
  mls: sub(4, mlsSettings),
});
export type JoinRequest = Infer<typeof joinRequest>;
const joinReply = message({ keyPackage: optionalBytes(1), participant: sub(2, participant) });
const groupUpdate = message({
  op: uint32(1),
  participant: sub(2, participant),
  participants: repeated(3, participant),
  mls: sub(4, mlsPayload),
});
export type GroupUpdate = Infer<typeof groupUpdate>;
const groupWelcome = message({ participants: repeated(1, participant), mls: sub(2, mlsPayload) });
const groupClose = message({ participants: repeated(1, wireName) });
const groupProposal = message({ source: sub(1, wireName), proposal: bytes(2) });
const heartbeat = message({ epoch: uint64(1) });
/** What a heartbeat carries in a session without MLS (reference: sessions 9). */
export const noEpoch = 2n ** 64n - 1n;
const updateParticipantState = message({
  participant: sub(1, wireName),
  state: uint32(2),
  epoch: uint64(3),
});
const rejoinRequest = message({ participant: sub(1, wireName), keyPackage: bytes(2) });

// message CommandPayload { oneof … }; a rejoin reply has the fields of MlsPayload.
export const commandPayload = message({
  discoveryRequest: sub(1, empty),
  discoveryReply: sub(2, empty),
  joinRequest: sub(3, joinRequest),
  joinReply: sub(4, joinReply),
  leaveRequest: sub(5, empty),
  leaveReply: sub(6, empty),
  groupUpdate: sub(7, groupUpdate),
  groupWelcome: sub(8, groupWelcome),
  groupClose: sub(9, groupClose),
  groupProposal: sub(10, groupProposal),
  groupAck: sub(11, empty),
  groupNack: sub(12, empty),
  heartbeat: sub(13, heartbeat),
  updateParticipantState: sub(14, updateParticipantState),
  rejoinRequest: sub(15, rejoinRequest),
  rejoinReply: sub(16, mlsPayload),
});
export type CommandPayload = Infer<typeof commandPayload>;
