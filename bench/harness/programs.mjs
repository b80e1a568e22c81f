import { fileURLToPath } from 'node:url';

/** @param {string} path */
const program = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Programs of the processes of a run. */
export const programs = {
  officialNode: program('../../test/interop/native-peer.mjs'),
  ourNode: program('../programs/slim-node.mjs'),
  slimApp: program('../programs/slim-app.mjs'),
  slimModerator: program('../programs/slim-moderator.mjs'),
  slimMembers: program('../programs/slim-members.mjs'),
  slimSessions: program('../programs/slim-sessions.mjs'),
  nodeLoad: program('../programs/node-load.mjs'),
  slimNodeCommand: program('../programs/start-up-node.mjs'),
  startUpService: program('../programs/start-up-service.mjs'),
  startUpImport: program('../programs/start-up-import.mjs'),
  nestServer: program('../programs/nest-server.mjs'),
  nestClient: program('../programs/nest-client.mjs'),
  broker: program('../programs/broker.mjs'),
  sealing: program('../programs/sealing.mjs'),
};
