import { decodeGroupState, encodeGroupState } from 'ts-mls/clientState.js';
import { SlimError } from '../errors/slim-error.js';
import type { EpochMember } from './epoch.js';
import { clientConfig, type MlsContext } from './key-package.js';
import type { MemberIdentities } from './member-identities.js';
import { fromLibrary, leavesOf, type MemberState } from './member-state.js';

/** What the library needs to change a group, in its own encoding. Keys of messages are not part of it. */
export function encodeTree({ state }: MemberState): Uint8Array {
  return encodeGroupState(state);
}

/**
 * The members were verified when they came, and their keys may have been replaced since; what is kept is sealed.
 * @throws SlimError `mls-failure`
 */
export function decodeTree(
  bytes: Uint8Array,
  context: MlsContext,
  identities: MemberIdentities,
  members: ReadonlyMap<number, EpochMember>,
): MemberState {
  const [state] = decodeGroupState(bytes.slice(), 0) ?? [];
  if (!state) throw new SlimError('mls-failure', 'the kept members of a group cannot be read');
  for (const { leaf, node } of leavesOf(state.ratchetTree)) {
    const member = members.get(leaf);
    if (!member)
      throw new SlimError('mls-failure', `nothing is kept of the member at leaf ${leaf}`);
    identities.trust(node.credential, member);
  }
  return fromLibrary({ ...state, clientConfig: clientConfig(context, identities) });
}
