import { fileURLToPath } from 'node:url';

const root = new URL('../../../../', import.meta.url);

/** A file of the project; the soak runs from `dist`. */
export const inProject = (path: string): string => fileURLToPath(new URL(path, root));

/** A program of the soak, built. */
export const party = (name: string): string =>
  fileURLToPath(new URL(`../parties/${name}.js`, import.meta.url));

export const host = '127.0.0.1';
