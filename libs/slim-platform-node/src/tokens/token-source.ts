export {
  oidcClientCredentials,
  type OidcClientCredentialsOptions,
  type TokenSource,
} from '@nestjs-slim/core';
