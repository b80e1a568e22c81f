import type { Crypto } from '../crypto/crypto.js';
import { Epoch, type EpochMember } from './epoch.js';
import { TlsReader } from './tls-reader.js';
import { TlsWriter } from './tls-writer.js';

/** An epoch after a restart, and the leaves that have members. */
export interface RestoredEpoch {
  readonly epoch: Epoch;
  readonly members: ReadonlyMap<number, EpochMember>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// struct { opaque groupId; uint64 epoch; opaque groupContext; opaque senderDataSecret; uint32 ownLeaf;
//          uint32 reserved; uint32 count; Member members[count] }
// struct { uint32 leaf; opaque subject; opaque publicKey; uint32 generation; opaque secret } Member

/** The keys of an epoch as they are now, with the own generations before `reserved` marked as used. */
export function encodeEpoch(epoch: Epoch, leaves: readonly number[], reserved: number): Uint8Array {
  const { groupId, epoch: number, groupContext, senderDataSecret, ownLeaf } = epoch.secrets;
  const members = leaves.flatMap((leaf) => {
    const member = epoch.memberNow(leaf);
    return member ? [{ leaf, member }] : [];
  });
  const writer = new TlsWriter()
    .opaque(groupId)
    .uint64(number)
    .opaque(groupContext)
    .opaque(senderDataSecret)
    .uint32(ownLeaf)
    .uint32(reserved)
    .uint32(members.length);
  for (const { leaf, member } of members) {
    writer
      .uint32(leaf)
      .opaque(encoder.encode(member.subject))
      .opaque(member.publicKey)
      .uint32(member.generation ?? 0)
      .opaque(member.applicationSecret);
  }
  return writer.finish();
}

/** Goes on behind every own generation that may have been used. @throws SlimError `mls-failure` */
export function decodeEpoch(
  bytes: Uint8Array,
  crypto: Crypto,
  signingKey: Uint8Array,
): RestoredEpoch {
  // A copy, since the parts are views of it and live as long as the epoch does.
  const reader = new TlsReader(bytes.slice());
  const head = {
    groupId: reader.opaque(),
    epoch: reader.uint64(),
    groupContext: reader.opaque(),
    senderDataSecret: reader.opaque(),
    ownLeaf: reader.uint32(),
  };
  const reserved = reader.uint32();
  const members = new Map<number, EpochMember>();
  for (let count = reader.uint32(); count > 0; count -= 1) {
    members.set(reader.uint32(), {
      subject: decoder.decode(reader.opaque()),
      publicKey: reader.opaque(),
      generation: reader.uint32(),
      applicationSecret: reader.opaque(),
    });
  }
  const epoch = new Epoch(crypto, { ...head, signingKey, member: (leaf) => members.get(leaf) });
  epoch.skipTo(reserved);
  return { epoch, members };
}
