import { fileURLToPath } from 'node:url';
import { HostTree, type Rule, type TaskConfigurationGenerator } from '@angular-devkit/schematics';
import { SchematicTestRunner, UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from '@jest/globals';
import { nestAdd } from './nest-add.js';

const collection = fileURLToPath(new URL('../../schematics/collection.json', import.meta.url));

const moduleFile = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`;

const mainFile = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
await app.listen(3000);
`;

const manifest = {
  name: '@acme/shop',
  type: 'module',
  dependencies: { '@nestjs/core': '^11.0.1', rxjs: '^7.8.1' },
};

const project = {
  'package.json': JSON.stringify(manifest),
  'src/app.module.ts': moduleFile,
  'src/main.ts': mainFile,
};

function treeOf(files: Readonly<Record<string, string>>): UnitTestTree {
  const tree = new UnitTestTree(new HostTree());
  for (const [path, text] of Object.entries(files)) tree.create(path, text);
  return tree;
}

/** Runs the schematic, and tells which tasks it left for afterwards. */
async function add(tree: UnitTestTree, sourceRoot = 'src'): Promise<readonly string[]> {
  const tasks: string[] = [];
  const addTask = (task: TaskConfigurationGenerator) => {
    tasks.push(task.toConfiguration().name);
    return { id: tasks.length };
  };
  const runner = new SchematicTestRunner('nestjs-slim', collection);
  const rule: Rule = (host, context) => nestAdd({ sourceRoot })(host, { ...context, addTask });
  // The devkit has an rxjs of its own, which ours does not take.
  await runner.callRule(rule, tree).toPromise();
  return tasks;
}

function textsOf(tree: UnitTestTree): readonly (readonly [string, string])[] {
  return tree.files.map((path) => [path, tree.readContent(path)] as const);
}

describe('nestAdd', () => {
  it('puts the module and a sample handler into the root module', async () => {
    const tree = treeOf(project);
    await add(tree);
    expect(tree.readContent('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';
import { SlimModule } from 'nestjs-slim';
import { HelloController } from './slim/hello.controller.js';
import { slimOptions } from './slim/slim.options.js';

@Module({
  imports: [SlimModule.forRoot(slimOptions)],
  controllers: [AppController, HelloController],
})
export class AppModule {}
`);
    expect(tree.readContent('src/slim/hello.controller.ts')).toContain("@MessagePattern('hello')");
    expect(tree.readContent('src/slim/slim.options.ts')).toContain("name: 'acme/apps/shop',");
  });

  it('connects the microservice in the main file', async () => {
    const tree = treeOf(project);
    await add(tree);
    expect(tree.readContent('src/main.ts')).toBe(`import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { slimMicroservice } from 'nestjs-slim';

const app = await NestFactory.create(AppModule);
app.connectMicroservice(slimMicroservice(), { inheritAppConfig: true });
await app.startAllMicroservices();
await app.listen(3000);
`);
  });

  it('adds what is missing to the dependencies, and has it installed', async () => {
    const tree = treeOf(project);
    expect(await add(tree)).toStrictEqual(['node-package']);
    expect(tree.readJson('package.json')).toStrictEqual({
      ...manifest,
      dependencies: {
        '@nestjs/core': '^11.0.1',
        '@nestjs/microservices': '^11.0.0',
        'nestjs-slim': '^0.1.0',
        rxjs: '^7.8.1',
      },
    });
  });

  it('changes nothing the second time', async () => {
    const tree = treeOf(project);
    await add(tree);
    const once = textsOf(tree);
    expect(await add(tree)).toStrictEqual([]);
    expect(textsOf(tree)).toStrictEqual(once);
  });

  it('imports without extension in a CommonJS application', async () => {
    const tree = treeOf({ ...project, 'package.json': '{}' });
    await add(tree);
    expect(tree.readContent('src/app.module.ts')).toContain("from './slim/slim.options';");
  });

  it('works in the source folder of a project of a monorepo', async () => {
    const { 'package.json': json } = project;
    const tree = treeOf({
      'package.json': json,
      'apps/shop/src/app.module.ts': moduleFile,
      'apps/shop/src/main.ts': mainFile,
    });
    await add(tree, 'apps/shop/src');
    expect(tree.files).toContain('/apps/shop/src/slim/hello.controller.ts');
  });

  it.each([
    ['src/app.module.ts', undefined, 'expected src/app.module.ts, and there is no such file'],
    ['src/main.ts', undefined, 'expected src/main.ts, and there is no such file'],
    ['package.json', undefined, 'expected package.json, and there is no such file'],
    ['package.json', '{', 'package.json: '],
    ['src/app.module.ts', 'export {};', 'src/app.module.ts: expected @Module({ … })'],
    ['src/main.ts', 'export {};', 'src/main.ts: expected `app = await NestFactory.create(…)`'],
  ])('refuses when %s is %j', async (path, text, message) => {
    const { [path]: _, ...rest } = project as Readonly<Record<string, string>>;
    const tree = treeOf(text === undefined ? rest : { ...rest, [path]: text });
    await expect(add(tree)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(message),
    });
  });
});
