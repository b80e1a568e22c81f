// Values of the official bindings to and from the plain JSON that a native peer speaks.

import slim from '@agntcy/slim-bindings';

export function toName(text) {
  const parts = text.split('/');
  if (parts.length !== 3 || parts.includes('')) {
    throw new Error(`expected org/namespace/service, got "${text}"`);
  }
  return new slim.Name(...parts);
}

/** The bindings write an id as a UUID, and "any" as NULL_COMPONENT; here it is hex, or left out. */
export function fromName(name) {
  const id = name.id();
  return {
    name: name.components().join('/'),
    ...(id === 'NULL_COMPONENT' ? {} : { id: id.replaceAll('-', '') }),
  };
}

/** Copies: a Buffer may be a view of Node's shared pool, and the bindings take a whole ArrayBuffer. */
export function toPayload({ text = '', hex }) {
  const bytes = hex === undefined ? Buffer.from(text) : Buffer.from(hex, 'hex');
  return new Uint8Array(bytes).buffer;
}

export const toMap = (record = {}) => new Map(Object.entries(record));

export function fromMessage({ context, payload }) {
  const bytes = Buffer.from(payload);
  return {
    text: bytes.toString('utf8'),
    hex: bytes.toString('hex'),
    payloadType: context.payloadType,
    metadata: Object.fromEntries(context.metadata),
    source: fromName(context.sourceName),
    ...(context.destinationName ? { destination: fromName(context.destinationName) } : {}),
    identity: context.identity,
  };
}

export function fromParticipant({ name, status }) {
  return { ...fromName(name), online: status === slim.ParticipantStatus.Online };
}

/** A session is reliable exactly when both the interval and the retries are set. */
export function toSessionConfig(options) {
  const { sessionType, mls, reliable, intervalMs = 1000, maxRetries = 10, metadata } = options;
  return {
    sessionType,
    metadata: toMap(metadata),
    ...(reliable ? { interval: intervalMs, maxRetries } : {}),
    ...(mls ? { mlsSettings: { headerIntegrityValidationPercent: 100 } } : {}),
  };
}

export function fromSession(session) {
  const { mlsSettings, interval, maxRetries } = session.config();
  return {
    sessionId: session.sessionId(),
    type: session.sessionType() === slim.SessionType.Group ? 'group' : 'p2p',
    initiator: session.isInitiator(),
    source: fromName(session.source()),
    destination: fromName(session.destination()),
    metadata: Object.fromEntries(session.metadata()),
    mls: mlsSettings !== undefined,
    reliable: interval !== undefined && maxRetries !== undefined,
  };
}

/** What an app proves who it is with, and judges others by: a JWT, SPIRE or a shared secret. */
export function identity({ identityId, secret, jwt: byJwt, spire: bySpire }) {
  if (byJwt) return jwt(byJwt);
  return bySpire ? spire(bySpire) : sharedSecret(identityId, secret);
}

export function sharedSecret(id, secret) {
  return {
    provider: slim.IdentityProviderConfig.SharedSecret.new({ id, data: secret }),
    verifier: slim.IdentityVerifierConfig.SharedSecret.new({ id, data: secret }),
  };
}

const spireConfig = ({ socketPath, audience }) => ({
  socketPath,
  jwtAudiences: audience,
  trustDomains: [],
});

/** Tokens of SPIRE, by its socket. */
export function spire(options) {
  const config = spireConfig(options);
  return {
    provider: slim.IdentityProviderConfig.Spire.new({ config }),
    verifier: slim.IdentityVerifierConfig.Spire.new({ config }),
  };
}

export function jwt({ subject, issuer, audience, privateKeyPem, publicKeyPem, algorithm }) {
  const pemKey = (value) => ({
    algorithm: slim.JwtAlgorithm[algorithm ?? 'Es256'],
    format: slim.JwtKeyFormat.Pem,
    key: slim.JwtKeyData.Data.new({ value }),
  });
  const signingKey = slim.JwtKeyType.Encoding.new({ key: pemKey(privateKeyPem) });
  const verifyingKey = slim.JwtKeyType.Decoding.new({ key: pemKey(publicKeyPem) });
  const claims = { issuer, audience, duration: 3_600_000 };
  return {
    provider: slim.IdentityProviderConfig.Jwt.new({
      config: { ...claims, subject, key: signingKey },
    }),
    verifier: slim.IdentityVerifierConfig.Jwt.new({ config: { ...claims, key: verifyingKey } }),
  };
}

/** Who may connect to a node: by a basic account, by SPIRE, or by a token of this key, issuer and audience. */
export function serverAuth(auth) {
  const { Basic, Spire, Jwt } = slim.ServerAuthenticationConfig;
  const { type, username, password } = auth;
  if (type === 'basic') return Basic.new({ config: { username, password } });
  return type === 'spire' ? Spire.new({ config: spireConfig(auth) }) : Jwt.new(tokenAuth(auth));
}

function tokenAuth({ key, algorithm, format, issuer, audience }) {
  const decoding = slim.JwtKeyType.Decoding.new({
    key: {
      algorithm: slim.JwtAlgorithm[algorithm],
      format: slim.JwtKeyFormat[format ?? 'Pem'],
      key: slim.JwtKeyData.Data.new({ value: key }),
    },
  });
  return { config: { issuer, audience, key: decoding, duration: 3_600_000 } };
}

/** A SlimError keeps its text in `inner`; its own message names only the kind. */
export const errorText = (reason) => reason?.inner?.message ?? reason?.message ?? String(reason);
