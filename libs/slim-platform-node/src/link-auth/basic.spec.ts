import { describe, expect, it } from '@jest/globals';
import { basicAuthenticator, basicCredentials } from './basic.js';

const account = { username: 'ädmin', password: 'a:b c' };
const authenticator = basicAuthenticator(account);
const encoded = (text: string): string => Buffer.from(text).toString('base64');
const request = (authorization?: string) => ({ authorization, remote: '127.0.0.1:9' });

describe('basic authentication', () => {
  it('lets in who has the name and the password, and asks for them', async () => {
    const credentials = basicCredentials(account);
    expect(authenticator.authenticate(request(await credentials.authorization()))).toBeUndefined();
    expect(authenticator.challenge).toBe('Basic');
  });

  it.each(['basic', 'BASIC', 'Basic '])('takes the scheme as %j', (scheme) => {
    const header = `${scheme} ${encoded('ädmin:a:b c')}`;
    expect(authenticator.authenticate(request(header))).toBeUndefined();
  });

  it.each([
    [undefined, 'expected Basic credentials, got none'],
    ['', 'expected Basic credentials, got others'],
    ['Basic', 'expected Basic credentials, got others'],
    ['Bearer a.b.c', 'expected Basic credentials, got others'],
    [`Basic ${encoded('ädmin:a:b c')} x`, 'expected Basic credentials, got others'],
    [`Basic ${encoded('ädmin:a:b')}`, 'wrong user name or password'],
    [`Basic ${encoded('ädmin:a:b cd')}`, 'wrong user name or password'],
    [`Basic ${encoded('Ädmin:a:b c')}`, 'wrong user name or password'],
    [`Basic ${encoded(':')}`, 'wrong user name or password'],
    ['Basic *', 'wrong user name or password'],
  ])('refuses %j', (header, message) => {
    expect(() => authenticator.authenticate(request(header))).toThrow(
      expect.objectContaining({ code: 'identity-rejected', message }),
    );
  });

  it.each([
    [{ username: '', password: 'a' }, 'username'],
    [{ username: 'a:b', password: 'a' }, 'username'],
    [{ username: 'a', password: '' }, 'password'],
    [{ username: 'a' }, 'password'],
  ])('cannot be configured with %j', (wrong, what) => {
    for (const make of [basicAuthenticator, basicCredentials]) {
      expect(() => make(wrong as typeof account)).toThrow(
        expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(what) }),
      );
    }
  });
});
