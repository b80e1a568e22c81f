export const libs: readonly string[];
export function listPath(lib: string): string;
export function exportedNames(lib: string): string;
