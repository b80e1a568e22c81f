/** Values as bytes, instead of JSON. */
export interface PayloadCodec {
  /** Names the format, so that the receiver knows how to read it: a media type. */
  readonly contentType: string;
  /** @throws SlimError `malformed-frame` for a value that the format cannot express */
  encode(value: unknown): Uint8Array;
  /** What `encode` was given. Bytes in it may be views of `data`. @throws SlimError `malformed-frame` */
  decode(data: Uint8Array): unknown;
}
