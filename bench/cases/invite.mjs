import { startChannel } from './slim-channel.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */
/** @typedef {{ mls: boolean, members: number, node: 'ours' | 'official' }} Job */

/** One message shows that everybody who is in can read. */
const proof = { spell: { ms: 0, atLeast: 1 }, size: 256 };

/** Minutes are needed for this many, so the names of these cases say so. */
const longMembers = 200;

/**
 * A moderator brings applications into a channel of its own. The official node does not turn Nagle's
 * algorithm off: of what all members acknowledge, the official moderator gets the first at once and the rest
 * 40 ms later, when its system acknowledges the first segment. Through our node shows the moderator alone.
 * @type {Case[]}
 */
export const inviteCases = [
  ...[true, false].flatMap((mls) =>
    [2, 10, 50, longMembers].map((members) => growing(mls, members)),
  ),
  ...[true, false].map((mls) => inviteCase({ mls, members: 50, node: 'ours' })),
];

/**
 * @param {boolean} mls
 * @param {number} members
 * @returns {Case}
 */
function growing(mls, members) {
  return {
    ...inviteCase({ mls, members, node: 'official' }),
    family: `invite, ${describe(mls)}`,
    at: members,
    // In turn, everybody is told of everybody who comes after, with a list of all.
    growth: { dimension: 'members', figure: 'ms in all', expected: 'quadratic' },
  };
}

/**
 * @param {Job} job
 * @returns {Case}
 */
function inviteCase(job) {
  const { mls, members, node } = job;
  const through = node === 'ours' ? 'our node' : 'an official node';
  const isLong = members >= longMembers;
  return {
    name: `invite ${members}, ${describe(mls)}${node === 'ours' ? ', through our node' : ''}${isLong ? ', long' : ''}`,
    job: `${members} applications into an empty reliable channel through ${through}, up to 10 of them a process (25 of ${longMembers}); in turn: each when the one before is in`,
    figures: { 'ms in all': 'lower', 'moderator CPU ms': 'lower' },
    baseline: 'official bindings, in turn',
    contenders: {
      'official bindings, in turn': invite('official', job, false),
      'official bindings, at once': invite('official', job, true),
      'ours, in turn': invite('ours', job, false),
      'ours, batched': invite('ours', job, true),
      // What our moderator takes of the time, where members are the same as at the baseline.
      'ours, official members, in turn': invite('ours', job, false, 'official'),
      'ours, official members, batched': invite('ours', job, true, 'official'),
    },
    limitMs: isLong ? 300_000 : 90_000,
  };
}

/** @param {boolean} mls */
function describe(mls) {
  return `MLS ${mls ? 'on' : 'off'}`;
}

/**
 * @param {import('./slim-pair.mjs').Library} library
 * @param {Job} job
 * @param {boolean} atOnce
 * @param {import('./slim-pair.mjs').Library} [guests] Of the same library unless given.
 * @returns {Run}
 */
function invite(library, { mls, members, node }, atOnce, guests = library) {
  return async (start) => {
    const mode = { mls, reliable: true };
    const channel = await startChannel(start, { library, mode, members, node, guests });
    await channel.warmUp();
    const { elapsedMs, cpuMs } = await channel.invite({ atOnce });
    await channel.all('receive', proof);
    const { total } = await channel.moderator.call('publish', { ...proof, channel: channel.name });
    await channel.received(total);
    await channel.moderator.call('close');
    return { 'ms in all': elapsedMs, 'moderator CPU ms': cpuMs };
  };
}
