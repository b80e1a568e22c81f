import { SlimName } from '../names/slim-name.js';
import { frame, publish, type Frame } from '../wire/frame.js';
import { slimHeader, subscription, type SlimHeader } from '../wire/header.js';
import { messageType, sessionHeader, sessionType } from '../wire/session-header.js';
import { WireName } from '../wire/wire-name.js';

/** The wire form of a name written as text. Needs `loadNameHash()`. */
export const wireNameOf = (text: string): WireName => WireName.of(SlimName.parse(text));

/** A message of an application to one receiver, with three hops before it; `header` changes that. */
export function publishTo(destination: WireName, header: Partial<SlimHeader> = {}): Frame {
  const payload = new TextEncoder().encode('hello');
  return frame.make({
    publish: publish.make({
      header: headerTo(destination, header),
      session: sessionHeader.make({
        sessionType: sessionType.pointToPoint,
        messageType: messageType.msg,
        sessionId: 1,
        messageId: 1,
      }),
      content: { application: { payloadType: 'msg', blob: payload }, command: undefined },
    }),
  });
}

export function subscribeTo(name: WireName, id: bigint, header: Partial<SlimHeader> = {}): Frame {
  return frame.make({ subscribe: subscription.make({ header: headerTo(name, header), id }) });
}

export function unsubscribeFrom(
  name: WireName,
  id: bigint,
  header: Partial<SlimHeader> = {},
): Frame {
  return frame.make({ unsubscribe: subscription.make({ header: headerTo(name, header), id }) });
}

function headerTo(destination: WireName, header: Partial<SlimHeader>): SlimHeader {
  const source = wireNameOf('org/ns/sender/00000000-0000-0000-0000-000000000001');
  return slimHeader.make({
    source,
    destination,
    identity: 'token',
    fanout: 1,
    version: '2.3.0',
    ttl: 3,
    ...header,
  });
}
