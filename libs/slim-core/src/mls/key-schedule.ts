import type { EpochSecrets } from 'ts-mls/keySchedule.js';
import type { Crypto } from '../crypto/crypto.js';
import { hkdfExpand } from '../crypto/hkdf-expand.js';
import { label, LabelledKdf } from './labelled-kdf.js';
import { TlsWriter } from './tls-writer.js';

const hashBytes = 32;
const noContext = new Uint8Array(0);
/** Where there is no PSK and no update path: zeros in place of their secrets (RFC 9420 section 8). */
const zeros = new Uint8Array(hashBytes);

const secret = (name: string): LabelledKdf => new LabelledKdf(name, hashBytes, 0);
const welcome = secret('welcome');
const encryption = secret('encryption');
const init = secret('init');
const senderData = secret('sender data');
const exporter = secret('exporter');
const external = secret('external');
const confirm = secret('confirm');
const membership = secret('membership');
const resumption = secret('resumption');
const authentication = secret('authentication');

/**
 * The secrets of an epoch that a commit without update path begins (RFC 9420 section 8), from the encoded
 * context of the epoch. Every member computes them for every member that is added, and the library takes
 * three times as long (bench case `invite`, MLS on); it is the oracle in the tests.
 */
export function nextKeySchedule(
  crypto: Crypto,
  initSecret: Uint8Array,
  groupContext: Uint8Array,
): EpochSecrets {
  const joiner = expand(crypto, crypto.hmacSha256(initSecret, zeros), 'joiner', groupContext);
  const member = crypto.hmacSha256(joiner, zeros);
  const epoch = expand(crypto, member, 'epoch', groupContext);
  const derive = (kdf: LabelledKdf): Uint8Array => kdf.expand(crypto, epoch, noContext);
  const secrets = {
    joinerSecret: joiner,
    welcomeSecret: welcome.expand(crypto, member, noContext),
    encryptionSecret: derive(encryption),
    keySchedule: {
      initSecret: derive(init),
      senderDataSecret: derive(senderData),
      exporterSecret: derive(exporter),
      externalSecret: derive(external),
      confirmationKey: derive(confirm),
      membershipKey: derive(membership),
      resumptionPsk: derive(resumption),
      epochAuthenticator: derive(authentication),
    },
  };
  member.fill(0);
  epoch.fill(0);
  return secrets;
}

/** ExpandWithLabel with a context of any length (RFC 9420 section 8). */
function expand(crypto: Crypto, prk: Uint8Array, text: string, context: Uint8Array): Uint8Array {
  const info = new TlsWriter().uint16(hashBytes).opaque(label(text)).opaque(context).view();
  return hkdfExpand(crypto, prk, info, hashBytes);
}
