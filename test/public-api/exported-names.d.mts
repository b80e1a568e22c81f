/** Something that can be imported. */
export interface Entry {
  /** The folder of the lib, with the sub-path if it is one: `nestjs-slim/testing`. */
  readonly name: string;
  readonly source: string;
}

export const entries: readonly Entry[];
export function listPath(entry: Entry): string;
export function exportedNames(entry: Entry): string;
