import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../vectors/', import.meta.url);

/** What is known of the link a frame was recorded on. Keys are hex. */
export interface LinkVector {
  readonly link_id: string;
  readonly mac_key: string;
  readonly client_private_key?: string;
  readonly client_public_key?: string;
  readonly server_private_key?: string;
  readonly server_public_key?: string;
  readonly x25519_shared_secret?: string;
  readonly mlkem_shared_secret?: string;
}

/** One recorded frame of `data-plane/`. */
export interface FrameVector {
  readonly description: string;
  /** Empty in the files that hold no frame. */
  readonly hex: string;
  readonly decoded: unknown;
  readonly link?: LinkVector;
  readonly header_mac_preimage?: string;
  readonly request_hex?: string;
}

/** One message of a recorded exchange, as one application sent or received it. */
export interface CaptureEntry {
  readonly app: string;
  readonly direction: 'client-to-node' | 'node-to-client';
  readonly hex: string;
  readonly decoded: unknown;
}

/** A whole recorded exchange. */
export interface Capture {
  readonly shared_secret: string;
  readonly name_component_hashes: Readonly<Record<string, readonly string[]>>;
  readonly entries: readonly CaptureEntry[];
}

/** A recorded frame and where it was found, for the titles of tests. */
export interface NamedFrame {
  readonly title: string;
  readonly bytes: Uint8Array;
}

/** The exchanges of `sessions/` that consist of frames. */
export const captureNames = ['p2p-plain', 'p2p-mls', 'group-mls'] as const;

/** Parses one file under `test/vectors/`; what is in it is up to the caller. */
export function readVector(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`${path}.json`, folder), 'utf8'));
}

export function readFrameVector(name: string): FrameVector {
  return readVector(`data-plane/${name}`) as FrameVector;
}

export function readCapture(name: (typeof captureNames)[number]): Capture {
  return readVector(`sessions/${name}`) as Capture;
}

/** Every file of `data-plane/` that holds a frame, by its name. */
export function frameVectors(): (FrameVector & { readonly name: string })[] {
  return readdirSync(new URL('data-plane/', folder))
    .map((file) => file.replace(/\.json$/, ''))
    .map((name) => ({ name, ...readFrameVector(name) }))
    .filter(({ hex }) => hex !== '');
}

/** Every recorded frame there is. */
export function allFrames(): NamedFrame[] {
  const single = frameVectors().flatMap(({ name, hex, request_hex: request }) => [
    { title: name, bytes: fromHex(hex) },
    ...(request === undefined ? [] : [{ title: `${name}, its request`, bytes: fromHex(request) }]),
  ]);
  return [...single, ...captureNames.flatMap(captureFrames), ...knownKeysFrames()];
}

/** The frames of one exchange. */
export function captureFrames(name: (typeof captureNames)[number]): NamedFrame[] {
  return readCapture(name).entries.map(({ hex, app, direction }, index) => ({
    title: `${name} ${index}, ${app} ${direction}`,
    bytes: fromHex(hex),
  }));
}

/** The publishes that carried the messages of the MLS vectors. */
function knownKeysFrames(): NamedFrame[] {
  return ['mls-known-keys', 'mls-nested-tree'].flatMap((name) => {
    const { steps } = readVector(`sessions/${name}`) as { steps: { publish?: string }[] };
    return steps.flatMap(({ publish }, index) =>
      publish === undefined ? [] : [{ title: `${name} step ${index}`, bytes: fromHex(publish) }],
    );
  });
}

/** Bytes that own their memory, unlike those of a Buffer. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
