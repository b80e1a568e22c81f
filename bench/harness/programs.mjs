import { fileURLToPath } from 'node:url';

/** @param {string} path */
const program = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Programs of the processes of a run. */
export const programs = {
  officialNode: program('../../test/interop/native-peer.mjs'),
  ourNode: program('../programs/slim-node.mjs'),
  slimApp: program('../programs/slim-app.mjs'),
  nestServer: program('../programs/nest-server.mjs'),
  nestClient: program('../programs/nest-client.mjs'),
};
