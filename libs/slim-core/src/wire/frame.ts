import { commandPayload } from './command-payload.js';
import { slimHeader, subscription, subscriptionAck } from './header.js';
import { linkMessage } from './link-message.js';
import { bytes, message, string, sub, textMap, type Infer } from './schema.js';
import { sessionHeader } from './session-header.js';

// message ApplicationPayload { string payload_type = 1; bytes blob = 2; }
export const applicationPayload = message({ payloadType: string(1), blob: bytes(2) });
export type ApplicationPayload = Infer<typeof applicationPayload>;

// message Content { oneof content_type { ApplicationPayload app_payload = 1; CommandPayload command_payload = 2; } }
const content = message({
  application: sub(1, applicationPayload),
  command: sub(2, commandPayload),
});

// message Publish { SLIMHeader header = 1; SessionHeader session = 2; Content msg = 3; }
export const publish = message({
  header: sub(1, slimHeader),
  session: sub(2, sessionHeader),
  content: sub(3, content),
});
export type Publish = Infer<typeof publish>;

/**
 * message Message: what one frame of a link holds. One of the first five is set; a frame with none,
 * or with one of a later version only, is not an error but means nothing.
 */
export const frame = message({
  subscribe: sub(1, subscription),
  unsubscribe: sub(2, subscription),
  publish: sub(3, publish),
  metadata: textMap(4),
  link: sub(5, linkMessage),
  subscriptionAck: sub(6, subscriptionAck),
});
export type Frame = Infer<typeof frame>;
