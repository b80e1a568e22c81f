import { createHash, timingSafeEqual } from 'node:crypto';
import { SlimError } from '@nestjs-slim/core';
import { credentialsOf } from './authorization.js';
import type { LinkAuthenticator, LinkCredentials } from './link-auth.js';

/** Name and password of one account. */
export interface BasicAccount {
  /** Without a colon, which ends it on the wire. */
  readonly username: string;
  readonly password: string;
}

/**
 * Lets in who has this name and password.
 * @throws SlimError `invalid-config`
 */
export function basicAuthenticator(account: BasicAccount): LinkAuthenticator {
  const expected = digest(textOf(account));
  return {
    challenge: 'Basic',
    authenticate(request) {
      const given = Buffer.from(credentialsOf(request, 'Basic'), 'base64');
      if (timingSafeEqual(digest(given), expected)) return;
      throw new SlimError('identity-rejected', 'wrong user name or password');
    },
  };
}

/**
 * Presents a name and a password.
 * @throws SlimError `invalid-config`
 */
export function basicCredentials(account: BasicAccount): LinkCredentials {
  const authorization = `Basic ${Buffer.from(textOf(account)).toString('base64')}`;
  return { authorization: () => authorization };
}

function textOf({ username, password }: BasicAccount): string {
  if (typeof username !== 'string' || username === '' || username.includes(':')) {
    throw new SlimError('invalid-config', 'expected a username that is not empty and has no colon');
  }
  if (typeof password !== 'string' || password === '') {
    throw new SlimError('invalid-config', 'expected a password that is not empty');
  }
  return `${username}:${password}`;
}

/** Of one length, so that comparing says nothing of the length either. */
function digest(text: string | Buffer): Buffer {
  return createHash('sha256').update(text).digest();
}
