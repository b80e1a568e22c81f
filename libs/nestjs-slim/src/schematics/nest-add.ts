import type { Rule, SchematicContext, Tree } from '@angular-devkit/schematics';
import { SlimError } from '@nestjs-slim/core';
import { addImport } from './add-import.js';
import { addToModule } from './add-to-module.js';
import { connectInMain } from './connect-in-main.js';
import { projectName, withDependencies, type PackageManifest } from './package-manifest.js';
import { controllerFile, optionsFile } from './sample.js';
import { names } from './syntax.js';

/** As `schematics/nest-add.json` has them. */
export interface NestAddOptions {
  /** The folder of `main.ts` and `app.module.ts`. */
  readonly sourceRoot: string;
}

/**
 * `nest add nestjs-slim`: puts `SlimModule` and a sample handler into the root module, connects the
 * microservice in `main.ts` and adds the dependencies. What is there already stays as it is.
 *
 * The tools it runs in bring `@angular-devkit/schematics`, so only types are imported from there.
 * @throws SlimError `invalid-config`
 */
export function nestAdd({ sourceRoot }: NestAddOptions): Rule {
  return (tree, context) => {
    const project = { context, sourceRoot, manifest: readManifest(tree) };
    extendModule(tree, project);
    extendMain(tree, project);
    extendManifest(tree, project);
  };
}

interface Project {
  readonly context: SchematicContext;
  readonly sourceRoot: string;
  readonly manifest: PackageManifest;
}

function extendModule(tree: Tree, { context, sourceRoot, manifest }: Project): void {
  const path = `${sourceRoot}/app.module.ts`;
  const text = read(tree, path);
  if (names(text, 'SlimModule')) return;
  const withSlim = addToModule(text, 'imports', 'SlimModule.forRoot(slimOptions)');
  const extended = withSlim && addToModule(withSlim, 'controllers', 'HelloController');
  if (!extended) throw unexpected(path, '@Module({ … }) with lists of imports and controllers');
  // Only ES modules name the file that the compiler will write.
  const extension = manifest.type === 'module' ? '.js' : '';
  const imports = [
    ['SlimModule', 'nestjs-slim'],
    ['HelloController', `./slim/hello.controller${extension}`],
    ['slimOptions', `./slim/slim.options${extension}`],
  ] as const;
  tree.overwrite(
    path,
    imports.reduce((module, [name, from]) => addImport(module, name, from), extended),
  );
  create(tree, `${sourceRoot}/slim/hello.controller.ts`, controllerFile);
  create(tree, `${sourceRoot}/slim/slim.options.ts`, optionsFile(projectName(manifest)));
  context.logger.info(
    'To start, the application needs SLIM_SECRET, 32 bytes or more, and a node at SLIM_NODE.',
  );
}

function extendMain(tree: Tree, { sourceRoot }: Project): void {
  const path = `${sourceRoot}/main.ts`;
  const text = read(tree, path);
  if (names(text, 'slimMicroservice')) return;
  const connected = connectInMain(text);
  if (connected === undefined) {
    throw unexpected(path, '`app = await NestFactory.create(…)` and `app.listen(…)`');
  }
  tree.overwrite(path, addImport(connected, 'slimMicroservice', 'nestjs-slim'));
}

function extendManifest(tree: Tree, { context, manifest }: Project): void {
  const extended = withDependencies(manifest);
  if (extended === manifest) return;
  tree.overwrite('package.json', `${JSON.stringify(extended, undefined, 2)}\n`);
  // What `new NodePackageInstallTask()` says.
  const install = { name: 'node-package', options: { command: 'install', quiet: true } };
  context.addTask({ toConfiguration: () => install });
}

function readManifest(tree: Tree): PackageManifest {
  const text = read(tree, 'package.json');
  try {
    return JSON.parse(text) as PackageManifest;
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', 'package.json');
  }
}

function read(tree: Tree, path: string): string {
  const bytes = tree.read(path);
  if (!bytes) throw new SlimError('invalid-config', `expected ${path}, and there is no such file`);
  return bytes.toString();
}

function create(tree: Tree, path: string, text: string): void {
  if (!tree.exists(path)) tree.create(path, text);
}

function unexpected(path: string, expected: string): SlimError {
  return new SlimError(
    'invalid-config',
    `${path}: expected ${expected}. Nothing was changed; the README shows what to add`,
  );
}
