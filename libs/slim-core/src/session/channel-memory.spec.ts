import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, wireNameOf } from '../testing/frames.js';
import { messageType, type MessageType } from '../wire/session-header.js';
import { ChannelMemory } from './channel-memory.js';
import { toIncoming, type Incoming } from './incoming.js';

beforeAll(loadNameHash);

function control(type: MessageType, messageId: number): Incoming {
  const incoming = toIncoming(publishTo(wireNameOf('org/ns/room')));
  if (!incoming) throw new Error('not a publish');
  return { ...incoming, session: { ...incoming.session, messageType: type, messageId } };
}

describe('ChannelMemory', () => {
  it('knows a control message that was acted on, by sender, type and id', () => {
    const memory = new ChannelMemory();
    expect(memory.add(control(messageType.leaveRequest, 7))).toBe(true);
    expect(memory.add(control(messageType.leaveRequest, 7))).toBe(false);
    expect(memory.has(control(messageType.leaveRequest, 7))).toBe(true);
    expect(memory.has(control(messageType.joinRequest, 7))).toBe(false);
    expect(memory.has(control(messageType.leaveRequest, 8))).toBe(false);
  });

  it('forgets the oldest of very many', () => {
    const memory = new ChannelMemory();
    for (let id = 1; id <= 1_001; id += 1) memory.add(control(messageType.leaveRequest, id));
    expect(memory.has(control(messageType.leaveRequest, 1))).toBe(false);
    expect(memory.has(control(messageType.leaveRequest, 2))).toBe(true);
  });
});
