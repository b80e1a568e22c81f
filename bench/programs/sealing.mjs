// Seals and opens MLS application messages in one process, beside the signature and its verification alone.
//   node sealing.mjs

import { loadNameHash, sharedSecret, SlimName, systemClock } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import { serve } from '../harness/serve.mjs';
import { Spell } from './spell.mjs';

// The packages do not export groups; the build has them.
const dist = new URL('../../libs/slim-core/dist/mls/', import.meta.url);
/** @type {typeof import('../../libs/slim-core/src/mls/mls-group.js')} */
const { MlsGroup, PendingMember } = await import(new URL('mls-group.js', dist).href);
/** @type {typeof import('../../libs/slim-core/src/mls/cipher-suite.js')} */
const { cipherSuite } = await import(new URL('cipher-suite.js', dist).href);

/** As many bytes as both headers have under the authentication of a message. */
const authenticatedData = new Uint8Array(500);

await loadNameHash();
const suite = cipherSuite(nodeCrypto);
const alice = newMember('alice');
const bob = newMember('bob');
const sending = await MlsGroup.create(alice.context, alice.provider.token());
const joining = await PendingMember.create(bob.context, bob.provider.token());
const receiving = await joining.join((await sending.add(joining.keyPackage)).welcome);

/** @type {Readonly<Record<string, (payload: Uint8Array) => boolean>>} */
const jobs = {
  signature: (payload) => {
    const { publicKey, privateKey } = alice.provider.keys;
    return nodeCrypto.verify(publicKey, payload, nodeCrypto.sign(privateKey, payload));
  },
  message: (payload) => {
    const { plaintext } = receiving.open(sending.seal(payload, authenticatedData));
    return nodeCrypto.equal(plaintext, payload);
  },
};

serve({
  /** Does one of the jobs for a spell. */
  work({ job, spell: options, size }) {
    const work = jobs[job];
    if (!work) throw new Error(`expected one of ${Object.keys(jobs).join(', ')}, got "${job}"`);
    const spell = new Spell(options);
    const payload = nodeCrypto.random(size);
    let count = 0;
    for (; spell.goesOn(count); count += 1) {
      if (!work(payload)) throw new Error(`${job} ${count} is wrong`);
    }
    return { count };
  },
});

/** @param {string} id */
function newMember(id) {
  const name = SlimName.parse(`bench/mls/${id}`);
  const secret = 'the-benchmarks-share-this-secret-of-44-bytes';
  const identity = sharedSecret({ secret, id });
  const { provider, verifier } = identity({ name, crypto: nodeCrypto, clock: systemClock });
  const { keys } = provider;
  return { provider, context: { crypto: nodeCrypto, clock: systemClock, suite, verifier, keys } };
}
