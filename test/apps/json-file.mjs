import { readFileSync, writeFileSync } from 'node:fs';

export function writeJson(path, value) {
  writeFileSync(path, JSON.stringify(value, undefined, 2));
}

/** Replaces what the file has by what `change` makes of it. */
export function changeJson(path, change) {
  writeJson(path, change(JSON.parse(readFileSync(path, 'utf8'))));
}
