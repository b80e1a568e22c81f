import { oidcClientCredentials, SlimError, type Clock } from '@nestjs-slim/core';
import {
  basicAuthenticator,
  basicCredentials,
  jwtAuthenticator,
  jwtCredentials,
  staticTokenCredentials,
  tokenCredentials,
  type LinkAuthenticator,
  type LinkCredentials,
} from '@nestjs-slim/platform-node';
import type { ClientAuth, JwtAuth, OidcAuth, ServerAuth } from '../config/schema/auth.js';
import { defined } from './defined.js';
import type { OnFileError } from './file-errors.js';
import { signingKey, verificationKey } from './jwt-keys.js';

/** Who may open a link to a server; everybody when undefined. @throws SlimError `invalid-config` */
export async function authenticatorOf(
  auth: ServerAuth | undefined,
  onKeySetError: OnFileError,
  clock?: Clock,
): Promise<LinkAuthenticator | undefined> {
  switch (auth?.type) {
    case 'basic':
      return basicAuthenticator(auth);
    case 'jwt':
      return jwtVerifier(auth, onKeySetError, clock);
    case 'oidc':
      return ready(
        jwtAuthenticator({
          verificationKey: { issuers: [auth.issuer_url], ...timeLimit(auth) },
          issuer: auth.issuer_url,
          ...defined({ audience: auth.audience }),
        }),
      );
    case 'spire':
      throw new SlimError('invalid-config', 'the SPIRE Workload API is not spoken');
    case 'none':
    case undefined:
      return undefined;
  }
}

/** What a client shows; nothing when undefined. @throws SlimError `invalid-config` */
export async function credentialsOf(
  auth: ClientAuth | undefined,
): Promise<LinkCredentials | undefined> {
  switch (auth?.type) {
    case 'basic':
      return basicCredentials(auth);
    case 'static_jwt':
      return staticTokenCredentials(auth.file);
    case 'jwt':
      return jwtSigner(auth);
    case 'oidc':
      return tokenCredentials(
        oidcClientCredentials({
          issuer: auth.issuer_url,
          clientId: auth.client_id ?? '',
          clientSecret: auth.client_secret ?? '',
          ...defined({ scope: auth.scope, audience: auth.audience }),
          ...timeLimit(auth),
        }),
      );
    case 'spire':
      throw new SlimError('invalid-config', 'the SPIRE Workload API is not spoken');
    case 'none':
    case undefined:
      return undefined;
  }
}

async function jwtVerifier(
  auth: JwtAuth,
  onKeySetError: OnFileError,
  clock: Clock | undefined,
): Promise<LinkAuthenticator> {
  const key = await verificationKey(auth, onKeySetError, clock);
  return ready(jwtAuthenticator({ verificationKey: key, ...claimsOf(auth) }));
}

/** A key that cannot be read is found now, not when the first client comes. */
async function ready(
  authenticator: ReturnType<typeof jwtAuthenticator>,
): Promise<LinkAuthenticator> {
  try {
    await authenticator.ready();
    return authenticator;
  } catch (reason) {
    authenticator.close();
    throw reason;
  }
}

async function jwtSigner(auth: JwtAuth): Promise<LinkCredentials> {
  const { subject, custom_claims: custom } = auth.claims ?? {};
  return jwtCredentials({
    ...(subject && { subject }),
    signingKey: await signingKey(auth),
    ...claimsOf(auth),
    ...defined({ claims: custom ?? undefined, lifetimeMs: auth.duration?.ms }),
  });
}

/** An empty list of audiences is none. */
function claimsOf({ claims }: JwtAuth) {
  const { issuer, audience } = claims ?? {};
  const named = audience && audience.length > 0 ? audience : undefined;
  return defined({ issuer: issuer ?? undefined, audience: named });
}

function timeLimit({ timeout }: OidcAuth): { readonly timeoutMs?: number } {
  return defined({ timeoutMs: timeout?.ms });
}
