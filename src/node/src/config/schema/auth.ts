import { z } from 'zod';
import {
  duration,
  freeMap,
  list,
  oneOf,
  optional,
  positiveDuration,
  section,
  text,
} from './values.js';

const algorithms = [
  ...(['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512'] as const),
  ...(['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA'] as const),
] as const;

const fileOrData = section({ file: text.optional(), data: text.optional() }).refine(
  ({ file, data }) => (file === undefined) !== (data === undefined),
  { error: 'either file or data' },
);

const key = {
  algorithm: oneOf(algorithms),
  format: oneOf(['pem', 'jwk', 'jwks']),
  key: fileOrData.describe('For HMAC the text of data is the key'),
};

const jwtKey = z.discriminatedUnion(
  'type',
  [
    section({ type: z.literal('encoding'), ...key }),
    section({ type: z.literal('decoding'), ...key }),
    section({ type: z.literal('autoresolve') }),
  ],
  { error: 'a section with type "encoding", "decoding" or "autoresolve"' },
);

const claims = section({
  audience: list(text).nullish(),
  issuer: text.nullish(),
  subject: text.nullish(),
  custom_claims: freeMap.nullish(),
});

/** Tokens tell their times in seconds. */
const tokenLifetime = duration.refine(({ ms }) => ms >= 1_000, {
  error: 'a duration of at least 1s',
});

const policy = freeMap.nullish();

const none = section({ type: z.literal('none') });
const basic = section({ type: z.literal('basic'), username: text, password: text }).meta({
  id: 'basic',
});
const jwt = section({
  type: z.literal('jwt'),
  claims: claims.optional(),
  duration: tokenLifetime.optional().describe('How long a token is good for; 1h'),
  key: jwtKey,
  policy,
}).meta({ id: 'jwt' });
const staticJwt = section({
  type: z.literal('static_jwt'),
  file: text.describe('Holds the token; read again when it changes'),
  duration: positiveDuration.optional(),
});
const oidc = section({
  type: z.literal('oidc'),
  issuer_url: text,
  client_id: optional(text),
  client_secret: optional(text),
  audience: optional(text),
  scope: optional(text),
  refresh_token: optional(text),
  refresh_token_file: optional(text),
  access_token_file: optional(text),
  timeout: optional(positiveDuration),
  jwks_ttl: optional(positiveDuration),
  claim_cache_ttl: optional(positiveDuration),
  policy,
}).meta({ id: 'oidc' });
const spire = z.looseObject({ type: z.literal('spire') });

/** Who may open a link to a server. */
export const serverAuth = z.discriminatedUnion('type', [none, basic, jwt, oidc, spire], {
  error: 'a section with type "none", "basic", "jwt" or "oidc"',
});

/** What a client shows when it opens a link. */
export const clientAuth = z.discriminatedUnion('type', [none, basic, jwt, staticJwt, oidc, spire], {
  error: 'a section with type "none", "basic", "jwt", "static_jwt" or "oidc"',
});

/** What a service shows to a controller when it registers. */
export const serviceAuth = z.discriminatedUnion(
  'type',
  [section({ type: z.literal('shared_secret'), id: optional(text), secret: text }), spire],
  { error: 'a section with type "shared_secret"' },
);

export type ServerAuth = z.output<typeof serverAuth>;
export type ClientAuth = z.output<typeof clientAuth>;
export type JwtAuth = z.output<typeof jwt>;
export type OidcAuth = z.output<typeof oidc>;
