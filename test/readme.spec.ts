import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the examples leave out, as a reader would fill it in: for those with Nest, and for those without. */
const preludes = {
  nest: `
import { Body, Controller, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { ChannelMessage, InjectChannel, ParticipantJoined, SlimChannel, SlimChannelRef } from 'nestjs-slim';
import { SlimContext, SlimModule, SlimName, SlimSource, sharedSecret, slimMicroservice } from 'nestjs-slim';
interface Order { readonly customer: string }
const identity = sharedSecret({ secret: 'x'.repeat(32) });
declare const node: string;
`,
  core: `
declare const secret: string;
declare const bytes: Uint8Array;
export {};
`,
};

function examples(document: string): string[] {
  const text = readFileSync(`${root}${document}`, 'utf8');
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
}

/** An example that imports what it uses is taken as it is; those for the core are pieces all the same. */
function complete(code: string): string {
  if (code.includes("from '@nestjs-slim/core'")) return preludes.core + code;
  return /^import /m.test(code) ? code : preludes.nest + code;
}

/** What the compiler says of files that are not on disk. */
function diagnose(files: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    // The compiler's own one reads the disk, whatever `readFile` gives.
    getSourceFile: (path, language) => {
      const text = files.get(path);
      return text === undefined
        ? disk.getSourceFile(path, language)
        : ts.createSourceFile(path, text, language);
    },
    fileExists: (path) => files.has(path) || disk.fileExists(path),
  };
  const program = ts.createProgram(
    [...files.keys()],
    { ...options, noUnusedLocals: false, noUnusedParameters: false },
    host,
  );
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || files.has(file.fileName))
    .map(({ messageText, file, start = 0 }) => {
      const line = file?.text.slice(0, start).split('\n').length;
      return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
}

/** The documents, and how many examples each has at least. */
const documents: readonly (readonly [name: string, atLeast: number])[] = [
  ['README.md', 3],
  ['docs/health.md', 2],
  ['docs/security.md', 4],
];

/** Tells that the compiler sees what it is given. */
const wrong = [`${root}wrong.ts`, 'const text: number = "";'] as const;

describe('the documents', () => {
  it('have examples that compile', () => {
    const files = documents.flatMap(([name, atLeast]) => {
      const found = examples(name);
      expect([name, found.length >= atLeast]).toStrictEqual([name, true]);
      return found.map((code, at) => [`${root}${name}-${at}.ts`, complete(code)] as const);
    });
    expect(diagnose(new Map([...files, wrong]))).toStrictEqual([
      expect.stringContaining(`wrong.ts:1 Type 'string'`),
    ]);
  }, 60_000);
});
