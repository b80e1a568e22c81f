import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const layers = 'errors clock events crypto store names wire auth mls link routing session'.split(
  ' ',
);

/** What each layer of slim-core may import from the others; its index may import from any. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  clock: [],
  events: [],
  crypto: ['errors'],
  store: ['errors', 'crypto'],
  names: ['errors'],
  wire: ['errors', 'names'],
  auth: ['errors', 'clock', 'crypto', 'names'],
  mls: ['errors', 'clock', 'crypto', 'names', 'auth'],
  link: ['errors', 'clock', 'crypto', 'names', 'wire'],
  routing: ['errors', 'clock', 'events', 'crypto', 'names', 'wire', 'link', 'auth'],
  session: ['errors', 'clock', 'events', 'crypto', 'names', 'wire', 'auth', 'mls'],
  app: layers.filter((layer) => layer !== 'routing'),
  testing: [...layers, 'app'],
};

/** Packages that one layer of slim-core has to itself. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  auth: ['jose'],
  mls: ['ts-mls', '@noble/*'],
  testing: ['@jest/globals'],
};

/** What each lib may import by package name. slim-core names no `node:` module: it runs in a browser. */
const mayImportPackages: Readonly<Record<string, readonly string[]>> = {
  'slim-core': ['hash-wasm', ...Object.values(onlyIn).flat()],
  'slim-platform-node': ['node:*', '@nestjs-slim/core', '@grpc/grpc-js', 'node-sqlite3-wasm', 'ws'],
  'slim-platform-browser': ['@nestjs-slim/core', '@noble/*'],
  'nestjs-slim': [
    ...['node:*', '@nestjs-slim/*', '@nestjs/*', 'rxjs', 'reflect-metadata'],
    ...['@bufbuild/protobuf', '@msgpack/msgpack', '@opentelemetry/api'],
    ...['@angular-devkit/schematics', 'typescript'],
  ],
};

/** Optional peers of nestjs-slim, and the one entry, or the folder with it, that may need them. */
const optionalPeers: Readonly<Record<string, string>> = {
  '@bufbuild/protobuf': 'codecs/protobuf.ts',
  '@msgpack/msgpack': 'codecs/msgpack.ts',
  '@nestjs/terminus': 'health/slim-health-indicator.ts',
  '@opentelemetry/api': 'opentelemetry/',
  // Types only: what runs a schematic brings it.
  '@angular-devkit/schematics': 'schematics/',
  typescript: 'schematics/',
};

const maxLines = 400;

const root = fileURLToPath(new URL('..', import.meta.url));

interface Source {
  /** From the repository root. */
  readonly path: string;
  readonly text: string;
  /** Relative imports as paths from the repository root. */
  readonly files: readonly string[];
  /** All other imports, as written. */
  readonly packages: readonly string[];
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const imports = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
  const isRelative = (specifier: string) => specifier.startsWith('.');
  const toPath = (specifier: string) => join(path, '..', specifier).replace(/\.js$/, '.ts');
  return {
    path,
    text,
    files: imports.filter(isRelative).map(toPath),
    packages: imports.filter((specifier) => !isRelative(specifier)),
  };
}

/** The product code under a folder, which need not exist yet. */
function sourcesIn(folder: string): Source[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.(spec|d)\.ts$|node_modules\//.test(path))
    .sort()
    .map((path) => readSource(join(folder, path)));
}

/** The layer of a file of slim-core; its index is in none. */
function layerOf(path: string): string | undefined {
  return /^libs\/slim-core\/src\/([^/]+)\//.exec(path)?.[1];
}

/** Whether one of the patterns is the package or covers it: `rxjs` covers `rxjs/operators`. */
function covers(patterns: readonly string[], specifier: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*')
      ? specifier.startsWith(pattern.slice(0, -1))
      : specifier === pattern || specifier.startsWith(`${pattern}/`),
  );
}

/** The first import cycle found, as the files along it. */
function findCycle(sources: readonly Source[]): readonly string[] | undefined {
  const imports = new Map(sources.map(({ path, files }) => [path, files]));
  const finished = new Set<string>();

  function visit(path: string, trail: readonly string[]): readonly string[] | undefined {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (finished.has(path)) return undefined;
    for (const file of imports.get(path) ?? []) {
      const cycle = visit(file, [...trail, path]);
      if (cycle) return cycle;
    }
    finished.add(path);
    return undefined;
  }

  for (const path of imports.keys()) {
    const cycle = visit(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function namesIdentifier(text: string, names: readonly string[]): boolean {
  const visit = (node: ts.Node): boolean =>
    (ts.isIdentifier(node) && names.includes(node.text)) || !!ts.forEachChild(node, visit);
  return visit(ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest));
}

const libs = Object.keys(mayImportPackages);
const core = sourcesIn('libs/slim-core/src');
const allLibs = libs.flatMap((lib) => sourcesIn(`libs/${lib}/src`));
const apps = sourcesIn('src');
const all = [...allLibs, ...apps];

describe('slim-core', () => {
  it('has no source outside the known layers', () => {
    const strays = core.filter(({ path }) => {
      const layer = layerOf(path);
      return layer === undefined ? path !== 'libs/slim-core/src/index.ts' : !mayImport[layer];
    });
    expect(strays.map(({ path }) => path)).toStrictEqual([]);
  });

  it.each(Object.keys(mayImport))('%s imports only the layers of its row', (layer) => {
    const allowed = [layer, ...(mayImport[layer] ?? [])];
    const wrong = core
      .filter(({ path }) => layerOf(path) === layer)
      .flatMap(({ path, files }) => files.map((file) => ({ path, file })))
      .filter(({ file }) => !allowed.includes(layerOf(file) ?? 'index'));
    expect(wrong).toStrictEqual([]);
  });

  it.each(Object.entries(onlyIn))('%s has its packages to itself', (layer, patterns) => {
    const wrong = core.filter(
      ({ path, packages }) =>
        layerOf(path) !== layer && packages.some((specifier) => covers(patterns, specifier)),
    );
    expect(wrong.map(({ path }) => path)).toStrictEqual([]);
  });
});

describe('every lib', () => {
  it.each(libs)('%s imports only its packages', (lib) => {
    const wrong = sourcesIn(`libs/${lib}/src`).flatMap(({ path, files, packages }) => [
      ...packages
        .filter((specifier) => !covers(mayImportPackages[lib] ?? [], specifier))
        .map((specifier) => ({ path, specifier })),
      ...files
        .filter((file) => !file.startsWith(`libs/${lib}/src/`))
        .map((specifier) => ({ path, specifier })),
    ]);
    expect(wrong).toStrictEqual([]);
  });

  it('leaves fakes to testing/', () => {
    const wrong = allLibs.filter(
      ({ path, packages }) =>
        !path.includes('/src/testing/') && packages.some((name) => name.endsWith('/testing')),
    );
    expect(wrong.map(({ path }) => path)).toStrictEqual([]);
  });

  it('leaves timers to clock/', () => {
    const wrong = allLibs.filter(
      ({ path, text }) =>
        layerOf(path) !== 'clock' && namesIdentifier(text, ['setTimeout', 'setInterval']),
    );
    expect(wrong.map(({ path }) => path)).toStrictEqual([]);
  });
});

describe('nestjs-slim', () => {
  const sources = sourcesIn('libs/nestjs-slim/src');

  it.each(Object.entries(optionalPeers))('needs %s for one entry only', (peer, entry) => {
    const path = `libs/nestjs-slim/src/${entry}`;
    const users = sources.filter(({ packages }) => packages.some((name) => covers([peer], name)));
    const others = sources.filter((source) => !source.path.startsWith(path));
    const importers = others.filter(({ files }) => files.some((file) => file.startsWith(path)));
    expect(users).not.toHaveLength(0);
    expect(users.filter((user) => others.includes(user))).toStrictEqual([]);
    expect(importers.map((source) => source.path)).toStrictEqual([]);
  });
});

describe('src', () => {
  it('imports the libs by package name', () => {
    const wrong = apps.filter(({ files }) => files.some((file) => !file.startsWith('src/')));
    expect(wrong.map(({ path }) => path)).toStrictEqual([]);
  });
});

describe('every source file', () => {
  it('is in no import cycle', () => {
    expect(findCycle(all)).toBeUndefined();
  });

  it('names what it exports', () => {
    const wrong = all.filter(({ text }) => /^\s*export\s+(type\s+)?\*/m.test(text));
    expect(wrong.map(({ path }) => path)).toStrictEqual([]);
  });

  it(`has at most ${maxLines} lines`, () => {
    const long = all.filter(({ text }) => text.split('\n').length - 1 > maxLines);
    expect(long.map(({ path }) => path)).toStrictEqual([]);
  });
});
