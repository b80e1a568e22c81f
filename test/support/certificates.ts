import { generateKeyPairSync, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate with its key, both in PEM, that can sign others. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly subject: string;
}

/** What a certificate says. */
export interface CertificateOptions {
  readonly subject: string;
  /** Host names, addresses and SPIFFE ids that it is good for. */
  readonly hosts?: readonly string[];
  /** Signs itself when absent. */
  readonly issuer?: TestCertificate;
}

/**
 * Makes a certificate for a test, on a key of its own (P-256, good from 2020 to 2120). One that has an
 * issuer can be a server or a client, one that signs itself can be an authority as well.
 */
export function makeCertificate(options: CertificateOptions): TestCertificate {
  const { subject, hosts = [], issuer } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signer = issuer?.key ?? key;
  const content = sequence(
    explicit(0, integer(2)),
    integer(++serial),
    ecdsaWithSha256,
    nameOf(issuer?.subject ?? subject),
    sequence(utcTime('200101000000Z'), generalizedTime('21200101000000Z')),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(hosts, !issuer))),
  );
  const signature = sign('sha256', content, signer);
  const der = sequence(content, ecdsaWithSha256, bits(signature));
  return { cert: pem('CERTIFICATE', der), key, subject };
}

let serial = 0;

function extensions(hosts: readonly string[], isAuthority: boolean): Buffer[] {
  const constraints = isAuthority ? sequence(boolean(true)) : sequence();
  const names = hosts.map((host) => {
    if (isIP(host)) return tagged(0x87, Buffer.from(host.split('.').map(Number)));
    return tagged(host.startsWith('spiffe://') ? 0x86 : 0x82, Buffer.from(host));
  });
  return [
    sequence(oid('551d13'), boolean(true), octets(constraints)),
    sequence(oid('551d0f'), boolean(true), octets(isAuthority ? signsOthers : signsMessages)),
    ...(names.length > 0 ? [sequence(oid('551d11'), octets(sequence(...names)))] : []),
  ];
}

/** Bit strings of key usage: the number of bits that are not used, and the bits. */
const [signsMessages, signsOthers] = [Buffer.of(3, 2, 7, 0x80), Buffer.of(3, 2, 1, 0x86)];

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...long), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts);
const explicit = (tag: number, part: Uint8Array): Buffer => tagged(0xa0 + tag, part);
const integer = (value: number): Buffer => tagged(0x02, Buffer.of(value));
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.of(value ? 0xff : 0));
const octets = (part: Uint8Array): Buffer => tagged(0x04, part);
const bits = (part: Uint8Array): Buffer => tagged(0x03, Buffer.of(0), part);
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));
const utcTime = (text: string): Buffer => tagged(0x17, Buffer.from(text));
const generalizedTime = (text: string): Buffer => tagged(0x18, Buffer.from(text));
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

/** A name of one part, the common name. */
const nameOf = (text: string): Buffer =>
  sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(text)))));

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
