import { programs } from '../harness/programs.mjs';
import { secret, startNode } from './slim-pair.mjs';

/** @typedef {import('../harness/with-processes.mjs').Start} Start */

/** What a process costs while it is idle is not what is measured, so members share some. */
const maxMemberProcesses = 8;
const membersPerProcess = 10;

/** Of the members of a process, those who are invited while it warms up; and how often somebody is, in all. */
const visitorsPerProcess = 5;
const warmUpInvitations = 50;

const name = 'bench/slim/channel';

/**
 * A node, an official one unless said otherwise, the moderator of a channel that is still empty, and
 * applications that wait to be invited to it, of the same library unless said otherwise; several members
 * share a process, each on a link of its own.
 * @param {Start} start
 * @param {{ library: import('./slim-pair.mjs').Library, mode: import('./slim-pair.mjs').Mode, members: number, node?: import('./slim-pair.mjs').Library, guests?: import('./slim-pair.mjs').Library }} options
 */
export async function startChannel(
  start,
  { library, mode, members, node = 'official', guests: guestLibrary = library },
) {
  const { url } = await startNode(start, node);
  const names = Array.from({ length: members }, (_, at) => `bench/slim/member-${at}`);
  const perProcess = Math.max(membersPerProcess, Math.ceil(members / maxMemberProcesses));
  /** @type {import('../harness/child.mjs').Child[]} */
  const guests = [];
  /** @type {string[]} */
  const visitors = [];
  for (let at = 0; at < members; at += perProcess) {
    const process = start(`members-${at}`, programs.slimMembers, guestLibrary);
    const own = names.slice(at, at + perProcess);
    await process.call('connect', { url, secret, names: own });
    guests.push(process);
    visitors.push(...own.slice(0, visitorsPerProcess));
  }
  const moderator = start('moderator', programs.slimModerator, library);
  await moderator.call('connect', { url, secret, name: 'bench/slim/moderator' });
  await moderator.call('create', { channel: name, ...mode });

  /**
   * Asks every process of members the same.
   * @param {string} op
   * @param {object} [args]
   */
  const all = (op, args) => Promise.all(guests.map((guest) => guest.call(op, args)));
  return {
    url,
    name,
    moderator,
    all,
    /** Invites some of each process to other channels, in turn and at once: what runs first runs slowest. */
    warmUp: async () => {
      for (let invited = 0, atOnce = false; invited < warmUpInvitations; atOnce = !atOnce) {
        const channel = `bench/slim/warm-up-${invited}`;
        await moderator.call('create', { channel, ...mode });
        const joined = all('join', { visitors: visitorsPerProcess });
        joined.catch(() => undefined); // An invitation that fails says more.
        await moderator.call('invite', { channel, names: visitors, atOnce });
        await joined;
        await moderator.call('close', { channel });
        invited += visitors.length;
      }
    },
    /** Invites everybody; settles when they are in and know it. */
    invite: async (/** @type {{ atOnce: boolean }} */ { atOnce }) => {
      const joined = all('join');
      joined.catch(() => undefined); // An invitation that fails says more.
      const invited = await moderator.call('invite', { channel: name, names, atOnce });
      await joined;
      return invited;
    },
    /** Milliseconds of CPU time of all members. */
    membersCpuMs: async () => {
      const each = await Promise.all(guests.map((guest) => guest.cpuMs()));
      return each.reduce((sum, cpuMs) => sum + cpuMs, 0);
    },
    /** When the last member had the last of that many messages; fails unless each has each of them once. */
    received: async (/** @type {number} */ total) => {
      const ends = await all('received', { total });
      return Math.max(...ends.map(({ lastAtMs }) => lastAtMs));
    },
  };
}
