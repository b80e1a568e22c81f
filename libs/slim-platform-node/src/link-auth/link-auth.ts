/** What the request that opens a link carries. */
export interface LinkRequest {
  /**
   * The `authorization` header. A WebSocket request without it may bring a JWT as `?token=`; it is then
   * put here as a Bearer.
   */
  readonly authorization: string | undefined;
  /** For log lines. */
  readonly remote: string;
}

/** Judges requests that want to open a link. */
export interface LinkAuthenticator {
  /** @throws SlimError `identity-rejected`; the request is then answered with HTTP 401 and nothing else. */
  authenticate(request: LinkRequest): void | Promise<void>;
  /** What a 401 says in `www-authenticate`, such as `Basic`; nothing when undefined. */
  readonly challenge?: string;
  close?(): void;
}

/** What the dialling side sends as `authorization`; asked at every dial, so it is always fresh. */
export interface LinkCredentials {
  authorization(): string | Promise<string>;
  close?(): void;
}
