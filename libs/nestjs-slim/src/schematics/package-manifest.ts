import { createRequire } from 'node:module';

/** What this schematic reads of a package.json, and changes in it. */
export interface PackageManifest {
  readonly name?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const own = createRequire(import.meta.url)('../../package.json') as { readonly version: string };

/** The manifest with this package and Nest's microservices; the very same one when it has them. */
export function withDependencies(manifest: PackageManifest): PackageManifest {
  const { dependencies = {} } = manifest;
  const [nestMajor = '12'] = /\d+/.exec(dependencies['@nestjs/core'] ?? '') ?? [];
  const wanted = { '@nestjs/microservices': `^${nestMajor}.0.0`, 'nestjs-slim': `^${own.version}` };
  if (Object.keys(wanted).every((name) => name in dependencies)) return manifest;
  const entries = Object.entries({ ...wanted, ...dependencies });
  const sorted = entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return { ...manifest, dependencies: Object.fromEntries(sorted) };
}

/** The last part of the package's name, to be a part of a SLIM name. */
export function projectName({ name = 'app' }: PackageManifest): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
