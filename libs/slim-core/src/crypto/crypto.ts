/** A P-256 signature key pair: 65-byte uncompressed point and 32-byte big-endian scalar. */
export interface SigningKeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** One side of an X25519 agreement. */
export interface AgreementKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Returns the 32-byte shared secret, or undefined when the peer's key is not usable. */
  agree(peerPublicKey: Uint8Array): Uint8Array | undefined;
}

/** ECDH on P-256, with keys in the form of a `SigningKeyPair`. */
export interface EcdhP256 {
  keyPair(): SigningKeyPair;
  /** The point of a private key; undefined when it is none of the curve. */
  publicKey(privateKey: Uint8Array): Uint8Array | undefined;
  /** The x coordinate of the shared point; undefined when one of the keys is none of the curve. */
  agree(privateKey: Uint8Array, peerPublicKey: Uint8Array): Uint8Array | undefined;
}

/**
 * The primitives a platform supplies. Everything is synchronous, because a message is sealed, signed
 * and verified on the path that delivers it. Results are new arrays that the caller owns.
 */
export interface Crypto {
  random(length: number): Uint8Array;
  sha256(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  agreementKey(): AgreementKey;
  readonly ecdhP256: EcdhP256;
  signingKeyPair(): SigningKeyPair;
  /** ECDSA P-256 with SHA-256, ASN.1 DER. */
  sign(privateKey: Uint8Array, data: Uint8Array): Uint8Array;
  /** False for a wrong signature and for a key that is not a P-256 point. */
  verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean;
  /** AES-GCM with a key of 16 or 32 bytes; the 16-byte tag is appended to the ciphertext. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Undefined when the tag does not match. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): Uint8Array | undefined;
  /** Compares in time that depends only on the lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}
