import { startChannel } from './slim-channel.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

/** One message shows that everybody who is in can read. */
const proof = { spell: { ms: 0, atLeast: 1 }, size: 256 };

/** A moderator brings applications into a channel of its own. @type {Case[]} */
export const inviteCases = [true, false].flatMap((mls) =>
  [2, 10, 50, 200].map((members) => ({
    name: `invite ${members}, MLS ${mls ? 'on' : 'off'}`,
    job: `${members} applications into an empty reliable channel through an official node; in turn: each when the one before is in`,
    figures: { 'ms in all': 'lower', 'moderator CPU ms': 'lower' },
    baseline: 'official bindings, in turn',
    contenders: {
      'official bindings, in turn': invite('official', { mls, members, atOnce: false }),
      'official bindings, at once': invite('official', { mls, members, atOnce: true }),
      'ours, in turn': invite('ours', { mls, members, atOnce: false }),
      'ours, batched': invite('ours', { mls, members, atOnce: true }),
    },
    ...(members === 200 && { limitMs: 180_000 }),
    family: `invite, MLS ${mls ? 'on' : 'off'}`,
    at: members,
    // Everybody is told of everybody who comes after, with a list of all; batched, only once.
    growth: { dimension: 'members', figure: 'ms in all', expected: 'quadratic' },
  })),
);

/**
 * @param {import('./slim-pair.mjs').Library} library
 * @param {{ mls: boolean, members: number, atOnce: boolean }} options
 * @returns {Run}
 */
function invite(library, { mls, members, atOnce }) {
  return async (start) => {
    const mode = { mls, reliable: true };
    const channel = await startChannel(start, { library, mode, members });
    const { elapsedMs, cpuMs } = await channel.invite({ atOnce });
    await channel.all('receive', proof);
    const { total } = await channel.moderator.call('publish', { ...proof, channel: channel.name });
    await channel.received(total);
    await channel.moderator.call('close');
    return { 'ms in all': elapsedMs, 'moderator CPU ms': cpuMs };
  };
}
