import { message, uint32, type Infer } from './schema.js';

/** Two parties, or a group on a channel. */
export const sessionType = { unspecified: 0, pointToPoint: 1, multicast: 2 } as const;
export type SessionType = (typeof sessionType)[keyof typeof sessionType];

/** What a Publish means to the session layer (reference: sessions 3). */
export const messageType = {
  unspecified: 0,
  msg: 1,
  msgAck: 2,
  rtxRequest: 3,
  rtxReply: 4,
  discoveryRequest: 5,
  discoveryReply: 6,
  joinRequest: 7,
  joinReply: 8,
  leaveRequest: 9,
  leaveReply: 10,
  groupUpdate: 11,
  groupWelcome: 12,
  groupClose: 13,
  groupProposal: 14,
  groupAck: 15,
  groupNack: 16,
  heartbeat: 17,
  updateParticipantState: 18,
  rejoinRequest: 19,
  rejoinReply: 20,
} as const;
export type MessageType = (typeof messageType)[keyof typeof messageType];

/** Types 5 and up steer a session and are signed; the lower ones carry and acknowledge data. */
export const isControl = (type: number): boolean => type >= messageType.discoveryRequest;

// message SessionHeader { SessionType session_type = 1; SessionMessageType session_message_type = 2;
//                         uint32 session_id = 3; uint32 message_id = 4; }
export const sessionHeader = message({
  sessionType: uint32(1),
  messageType: uint32(2),
  sessionId: uint32(3),
  messageId: uint32(4),
});
export type SessionHeader = Infer<typeof sessionHeader>;
