import { LeftOut } from '../harness/left-out.mjs';
import { programs } from '../harness/programs.mjs';
import { startChannel } from './slim-channel.mjs';
import { describeMode, modes, secret, slimContenders } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

const size = 256;

/** One member of a channel publishes, all others read. @type {Case[]} */
export const fanOutCases = modes.flatMap((mode) =>
  [2, 10, 50].map((members) => ({
    name: `fan-out to ${members}, ${describeMode(mode)}`,
    job: `${size} bytes from the moderator of a channel to ${members} members through an official node, up to 10 members a process`,
    figures: {
      'deliveries/s': 'higher',
      'sender CPU us/message': 'lower',
      'receiver CPU us/delivery': 'lower',
    },
    baseline: 'official bindings',
    contenders: Object.fromEntries(
      Object.entries(slimContenders).map(([name, library]) => [
        name,
        fanOut(library, mode, members),
      ]),
    ),
    family: `fan-out, ${describeMode(mode)}`,
    at: members,
    growth: {
      dimension: 'members',
      figure: 'sender CPU us/message',
      // One seal and one frame for all; acknowledgements come from each.
      expected: mode.reliable ? 'linear' : 'constant',
    },
  })),
);

/**
 * @param {import('./slim-pair.mjs').Library} library
 * @param {import('./slim-pair.mjs').Mode} mode
 * @param {number} members
 * @returns {Run}
 */
function fanOut(library, mode, members) {
  return async (start) => {
    if (library === 'official' && !mode.reliable) {
      throw new LeftOut('invited members of this build refuse a channel without acknowledgements');
    }
    if (library === 'official' && mode.mls && members >= 50) {
      throw new LeftOut('not all is delivered within three minutes');
    }
    const channel = await startChannel(start, { library, mode, members });
    const { moderator } = channel;
    await warmUpSender(start, { channel, library, mode });
    await channel.invite({ atOnce: library === 'ours' });
    await channel.all('receive', { size });
    const publish = (/** @type {number} */ deliveries) => {
      const spell = { ms: 0, atLeast: Math.ceil(deliveries / members), atMostMs: 8_000 };
      return moderator.call('publish', { channel: channel.name, spell, size });
    };
    const warm = await publish(5_000);
    await channel.received(warm.total);

    const before = { sender: await moderator.cpuMs(), members: await channel.membersCpuMs() };
    const { startedAtMs, total } = await publish(mode.mls ? 15_000 : 50_000);
    const lastAtMs = await channel.received(total);
    const after = { sender: await moderator.cpuMs(), members: await channel.membersCpuMs() };

    await moderator.call('close');
    await channel.received(total); // Nothing came twice, late.
    const messages = total - warm.total;
    const deliveries = messages * members;
    return {
      'deliveries/s': (deliveries / (lastAtMs - startedAtMs)) * 1000,
      'sender CPU us/message': ((after.sender - before.sender) / messages) * 1000,
      'receiver CPU us/delivery': ((after.members - before.members) / deliveries) * 1000,
    };
  };
}

/**
 * Many messages to one other application first: few messages to many members keep the receivers busy,
 * but teach the compiler little about the sender.
 * @param {import('./slim-pair.mjs').Start} start
 * @param {object} options
 * @param {Awaited<ReturnType<typeof startChannel>>} options.channel
 * @param {import('./slim-pair.mjs').Library} options.library
 * @param {import('./slim-pair.mjs').Mode} options.mode
 */
async function warmUpSender(start, { channel: { moderator, url }, library, mode }) {
  const names = ['bench/slim/listener'];
  const channel = 'bench/slim/warm-up';
  const listener = start('listener', programs.slimMembers, library);
  await listener.call('connect', { url, secret, names });
  await moderator.call('create', { channel, ...mode });
  await Promise.all([
    listener.call('join'),
    moderator.call('invite', { channel, names, atOnce: false }),
  ]);
  await listener.call('receive', { size });
  const spell = { ms: 1_000, atLeast: 10_000, atMostMs: 5_000 };
  const { total } = await moderator.call('publish', { channel, spell, size });
  await listener.call('received', { total });
}
