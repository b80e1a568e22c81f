import { sharedSecret, SlimName, systemClock, type IdentityProvider } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import { applicationId } from '../../libs/slim-core/src/names/name-id.js';
import { Composer } from '../../libs/slim-core/src/session/composer.js';
import type { CommandPayload } from '../../libs/slim-core/src/wire/command-payload.js';
import type { Frame } from '../../libs/slim-core/src/wire/frame.js';
import { fanout, slimHeader } from '../../libs/slim-core/src/wire/header.js';
import type { SessionHeader } from '../../libs/slim-core/src/wire/session-header.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';

/** Whose proofs are on a message, and how good they are. */
export type Proof = 'own' | 'unsigned' | 'wrongly signed' | 'foreign' | 'none';

/** One message, with whatever somebody puts into it. */
export interface Lie {
  readonly source: WireName;
  readonly destination: WireName;
  readonly session: SessionHeader;
  readonly command: Partial<CommandPayload> | undefined;
  readonly blob: Uint8Array;
  readonly metadata: ReadonlyMap<string, string>;
  readonly proof: Proof;
  readonly isError: boolean;
}

/** An identity that signs what no application of ours would. */
export class Liar {
  readonly name: WireName;
  readonly provider: IdentityProvider;
  readonly #composer: Composer;
  readonly #foreign: Composer;

  private constructor(name: WireName, provider: IdentityProvider, foreign: IdentityProvider) {
    this.name = name;
    this.provider = provider;
    this.#composer = new Composer(provider, nodeCrypto);
    this.#foreign = new Composer(foreign, nodeCrypto);
  }

  /** Needs `loadNameHash()`. */
  static create(name: string, secret: string, foreignSecret: string): Liar {
    const context = { name: SlimName.parse(name), crypto: nodeCrypto, clock: systemClock };
    const { provider } = sharedSecret({ secret })(context);
    const { provider: foreign } = sharedSecret({ secret: foreignSecret })(context);
    const own = context.name.withId(applicationId(provider.tokenId));
    return new Liar(WireName.of(own), provider, foreign);
  }

  tell(lie: Lie): Frame {
    const { source, destination, session, command, blob, metadata, proof, isError } = lie;
    const address = { source, destination, session, fanout: fanout.one };
    const composer = proof === 'foreign' ? this.#foreign : this.#composer;
    const message = command
      ? composer.control(address, command, new Map(metadata))
      : composer.data(
          address,
          { payloadType: 'msg', payload: blob, metadata: new Map(metadata) },
          undefined,
        );
    const { publish } = message;
    const header = publish?.header;
    if (!publish || !header) return message;
    const changed = slimHeader.make({
      ...header,
      ttl: 8,
      ...(isError ? { error: true } : {}),
      ...(proof === 'none' ? { identity: '' } : {}),
      ...(proof === 'unsigned' ? { headerSignature: undefined } : {}),
      ...(proof === 'wrongly signed' ? { headerSignature: new Uint8Array(70).fill(48) } : {}),
    });
    return { ...message, publish: { ...publish, header: changed } };
  }
}
