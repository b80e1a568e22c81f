import { readFile } from 'node:fs/promises';

/** A file of the status page. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** The same from `src/admin` and from `dist/admin`: the page needs no build. */
const folder = new URL('../../src/admin/page/', import.meta.url);

const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/numbers.js': ['numbers.js', 'text/javascript; charset=utf-8'],
  '/links.js': ['links.js', 'text/javascript; charset=utf-8'],
  '/sparkline.js': ['sparkline.js', 'text/javascript; charset=utf-8'],
  '/table.js': ['table.js', 'text/javascript; charset=utf-8'],
};

/** Reads every file of the page, by its path. Nothing else can be asked for, so no path is ever built. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const entries = Object.entries(files).map(async ([path, [file, type]]) => {
    return [path, { type, bytes: await readFile(new URL(file, folder)) }] as const;
  });
  return new Map(await Promise.all(entries));
}
