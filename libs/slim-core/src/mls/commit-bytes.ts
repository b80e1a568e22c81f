import type { KeyPackage } from 'ts-mls';
import { encodeKeyPackage } from 'ts-mls/keyPackage.js';
import { label } from './labelled-kdf.js';
import { TlsReader } from './tls-reader.js';
import { TlsWriter } from './tls-writer.js';

// What of a commit is signed, hashed and authenticated stands in its bytes one after the other. The library
// encodes it anew for each of them, with the key packages in it (bench case `invite`); it is the oracle in
// the tests.

/** A commit that adds members; views of its bytes. */
export interface CommitBytes {
  /** From the version to the end of the content: FramedContentTBS but for the group context. */
  readonly content: Uint8Array;
  /** FramedContentAuthData. */
  readonly auth: Uint8Array;
  /** ConfirmedTranscriptHashInput (RFC 9420 section 8.2). */
  readonly transcript: Uint8Array;
  readonly packages: readonly KeyPackageBytes[];
}

/** A key package; views of its bytes. */
export interface KeyPackageBytes {
  readonly whole: Uint8Array;
  /** LeafNodeTBS and KeyPackageTBS. */
  readonly signedLeaf: Uint8Array;
  readonly signedPackage: Uint8Array;
}

const mls10 = 1;
const publicMessageFormat = 1;
const memberSender = 1;
const commitContent = 3;
const proposalItself = 1;
const addition = 1;
const noPath = 0;
const capabilityLists = 5;
const lifetimeBytes = 16;
const none = new Uint8Array(0);

/**
 * Reads an MLSMessage that was decoded before, and found to be a member's commit of additions without a path
 * (RFC 9420 sections 6, 7.2, 10 and 12.4). @throws SlimError `mls-failure` for one that is cut
 */
export function readCommit(bytes: Uint8Array): CommitBytes {
  const reader = new TlsReader(bytes);
  reader.raw(2 + 2); // Version, wire format.
  reader.opaque(); // Group.
  reader.raw(8 + 1 + 4); // Epoch, kind of sender, its leaf.
  reader.opaque(); // Authenticated data.
  reader.uint8(); // Content type.
  const proposals = new TlsReader(reader.opaque());
  const packages: KeyPackageBytes[] = [];
  while (proposals.left > 0) {
    proposals.raw(1 + 2); // Not a reference, an addition.
    packages.push(readKeyPackage(proposals));
  }
  reader.uint8(); // No path.
  const content = reader.since(0);
  const authAt = content.length;
  reader.opaque(); // Signature.
  const transcript = reader.since(2);
  reader.opaque(); // Confirmation tag.
  return { content, auth: reader.since(authAt), transcript, packages };
}

/** The bytes of a key package. */
export function toBytes(keyPackage: KeyPackage): KeyPackageBytes {
  return readKeyPackage(new TlsReader(encodeKeyPackage(keyPackage)));
}

function readKeyPackage(reader: TlsReader): KeyPackageBytes {
  const start = reader.position;
  reader.raw(2 + 2); // Version, cipher suite.
  reader.opaque(); // Init key.
  const leafAt = reader.position;
  reader.opaque(); // Encryption key.
  reader.opaque(); // Signature key.
  reader.uint16();
  reader.opaque(); // Credential.
  for (let lists = capabilityLists; lists > 0; lists -= 1) reader.opaque();
  reader.raw(1 + lifetimeBytes); // The source of the leaf is a key package.
  reader.opaque(); // Extensions.
  const signedLeaf = reader.since(leafAt);
  reader.opaque(); // Signature of the leaf.
  reader.opaque(); // Extensions.
  const signedPackage = reader.since(start);
  reader.opaque(); // Signature.
  return { whole: reader.since(start), signedLeaf, signedPackage };
}

/** The content of a commit, as `CommitBytes` has it. */
export function contentOf(
  place: { readonly groupId: Uint8Array; readonly epoch: bigint; readonly leaf: number },
  packages: readonly KeyPackageBytes[],
): Uint8Array {
  const proposals = new TlsWriter();
  for (const { whole } of packages) proposals.uint8(proposalItself).uint16(addition).raw(whole);
  return new TlsWriter()
    .uint16(mls10)
    .uint16(publicMessageFormat)
    .opaque(place.groupId)
    .uint64(place.epoch)
    .uint8(memberSender)
    .uint32(place.leaf)
    .opaque(none)
    .uint8(commitContent)
    .opaque(proposals.view())
    .uint8(noPath)
    .finish();
}

/** SignContent (RFC 9420 section 5.1.2). */
export function signContent(text: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return new TlsWriter()
    .opaque(label(text))
    .opaque(concat(...parts))
    .view();
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new TlsWriter(parts.reduce((length, part) => length + part.length, 0));
  for (const part of parts) all.raw(part);
  return all.view();
}

/** `opaque<V>`. */
export function opaque(bytes: Uint8Array): Uint8Array {
  return new TlsWriter(bytes.length + 4).opaque(bytes).view();
}
