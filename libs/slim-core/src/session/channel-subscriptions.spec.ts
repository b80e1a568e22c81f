import { beforeAll, describe, expect, it } from '@jest/globals';
import { SlimError } from '../errors/slim-error.js';
import { loadNameHash } from '../names/name-hash.js';
import { wireNameOf } from '../testing/frames.js';
import type { WireName } from '../wire/wire-name.js';
import { subscribeChannel, unsubscribeChannel } from './channel-subscriptions.js';

beforeAll(loadNameHash);

/** A channel that ends once it has subscribed so many names. */
function setup(endsAfter: number) {
  const log: string[] = [];
  const session = {
    setup: { channel: wireNameOf('org/ns/data'), control: wireNameOf('org/ns/control') },
    context: {
      subscribe: (name: WireName) => Promise.resolve(void log.push(`+ ${name.slimName.service}`)),
      unsubscribe: (name: WireName) => {
        log.push(`- ${name.slimName.service}`);
        return Promise.reject(new SlimError('link-closed', 'the link was lost'));
      },
    },
    get endReason(): SlimError | undefined {
      if (log.length < endsAfter) return undefined;
      return new SlimError('session-closed', 'closed meanwhile');
    },
  };
  return { log, session };
}

describe('subscribeChannel', () => {
  it.each([
    { endsAfter: 0, subscribed: [], isThere: false },
    { endsAfter: 1, subscribed: ['+ org/ns/data'], isThere: false },
    { endsAfter: 2, subscribed: ['+ org/ns/data', '+ org/ns/control'], isThere: false },
    { endsAfter: 3, subscribed: ['+ org/ns/data', '+ org/ns/control'], isThere: true },
  ])('subscribes until the channel ends: %o', async ({ endsAfter, subscribed, isThere }) => {
    const { log, session } = setup(endsAfter);
    expect(await subscribeChannel(session)).toBe(isThere);
    expect(log).toStrictEqual(subscribed);
  });
});

describe('unsubscribeChannel', () => {
  it('takes back both names, also without a link', () => {
    const { log, session } = setup(9);
    unsubscribeChannel(session);
    expect(log).toStrictEqual(['- org/ns/data', '- org/ns/control']);
  });
});
