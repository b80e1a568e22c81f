import { describe, expect, it } from '@jest/globals';
import { diallerTls, listenerTls } from './tls-settings.js';

const onTlsError = (): void => undefined;
const files = { type: 'file', cert: '/c', key: '/k' } as const;
const own = { cert: { file: '/c' }, key: { file: '/k' } };

describe('listenerTls', () => {
  it('is none for an insecure server, whatever else it says', () => {
    expect(listenerTls({ insecure: true, source: files }, onTlsError)).toBe(undefined);
  });

  it.each([
    [{ source: files }, own],
    [
      { source: files, client_ca: { type: 'pem', data: 'ca' }, tls_version: 'tls1.2' } as const,
      { ...own, clientCa: 'ca', version: 'tls1.2' },
    ],
    [{ source: { type: 'pem', cert: 'c', key: 'k' } } as const, { cert: 'c', key: 'k' }],
  ])('turns %j into %j', (tls, expected) => {
    expect(listenerTls(tls, onTlsError)).toStrictEqual({ ...expected, onTlsError });
  });

  it.each([undefined, {}, { source: { type: 'none' } } as const])(
    'refuses a server without a certificate that is not insecure: %j',
    (tls) => {
      expect(() => listenerTls(tls, onTlsError)).toThrow('a server without a certificate');
    },
  );
});

describe('diallerTls', () => {
  it.each([
    [undefined, {}],
    [
      { source: files, insecure_skip_verify: true },
      { ...own, insecureSkipVerify: true },
    ],
    [{ ca_source: { type: 'file', path: '/a' } } as const, { ca: { file: '/a' }, systemCas: true }],
    [
      {
        ca_source: { type: 'pem', data: 'ca' },
        include_system_ca_certs_pool: false,
      } as const,
      { ca: 'ca', systemCas: false },
    ],
  ])('turns %j into %j', (tls, expected) => {
    const settings = diallerTls(tls, 'node.internal', onTlsError);
    expect(settings).toStrictEqual({ ...expected, serverName: 'node.internal', onTlsError });
  });
});
