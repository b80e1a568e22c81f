import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A server between client and service. It runs as it comes, on loopback; it keeps nothing on disk.
 * @typedef {object} BrokerServer
 * @property {string} program
 * @property {string} debianPackage
 * @property {(port: number) => string[]} args
 */

/** Servers of the Nest transports that need one, by transport. */
export const brokerServers = {
  /** @type {BrokerServer} */
  nats: {
    program: 'nats-server',
    debianPackage: 'nats-server',
    args: (port) => ['--addr', '127.0.0.1', '--port', `${port}`],
  },
  /** @type {BrokerServer} */
  redis: {
    program: 'redis-server',
    debianPackage: 'redis-server',
    args: (port) => [
      '--bind',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--save',
      '',
      '--appendonly',
      'no',
    ],
  },
};

/** Where servers may be that are not on the path of everybody. */
const serverFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/**
 * The file of a server's program; undefined when it is not installed.
 * @param {BrokerServer} server
 */
export function findServer({ program }) {
  const folders = [...(process.env.PATH ?? '').split(':'), ...serverFolders];
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}
