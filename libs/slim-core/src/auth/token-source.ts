/**
 * Tokens that somebody else issues, such as a file that is rotated or an issuer that is asked. It holds
 * nothing open unless somebody listens.
 */
export interface TokenSource {
  /**
   * The token that is good now.
   * @throws SlimError when there is none; it never shows anything of a token
   */
  token(): string | Promise<string>;
  /** Tells when `token` has another answer. Returns how to stop listening. */
  onChange?(listener: () => void): () => void;
  /** Ends what goes on in the background, and with it every change. May be called twice. */
  close?(): void;
}
