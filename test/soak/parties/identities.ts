import { jwt, sharedSecret, type IdentitySource, type LinkDialler } from '@nestjs-slim/core';
import { http2Dialler, jwtCredentials, webSocketDialler } from '@nestjs-slim/platform-node';

/** What every party has to know, made anew for each run. */
export interface Keys {
  /** Signs the tokens of services and callers. */
  readonly identity: string;
  /** Signs the tokens that open links. */
  readonly link: string;
  /** Of the members of the channel. */
  readonly members: string;
  /** Authority of the certificates of the nodes. */
  readonly ca: string;
}

/** So short that every token expires many times in a run. */
const lifetimeMs = 5_000;

/** Who a service or caller is. */
export function tokens(subject: string, { identity: secret }: Keys): IdentitySource {
  const key = { secret };
  return jwt({ subject, issuer: 'soak', signingKey: key, verificationKey: key, lifetimeMs });
}

/** Who a member of the channel is. */
export const memberIdentity = ({ members: secret }: Keys): IdentitySource =>
  sharedSecret({ secret });

/** Dials a node; over TLS it shows a token, too. */
export function dialler(url: string, { ca, link: secret }: Keys): LinkDialler {
  if (url.startsWith('ws:')) return webSocketDialler(url);
  if (url.startsWith('http:')) return http2Dialler(url);
  const claims = { subject: 'soak', issuer: 'soak', audience: ['node'] };
  const credentials = jwtCredentials({ ...claims, signingKey: { secret }, lifetimeMs });
  return http2Dialler(url, { tls: { ca }, credentials });
}

/** Services go on soon after a node came back. */
export const backoff = { firstMs: 100, maxMs: 1_000 };
