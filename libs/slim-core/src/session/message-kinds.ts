import { messageType } from '../wire/session-header.js';

/** Data that MLS protects; acknowledgements are empty. */
export const sealedTypes: ReadonlySet<number> = new Set([messageType.msg, messageType.rtxReply]);

/** What a member of a channel that is offline still takes. */
export const answersOfflineMember: ReadonlySet<number> = new Set([
  messageType.groupAck,
  messageType.groupNack,
  messageType.rejoinReply,
]);
