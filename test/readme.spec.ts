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

function examples(): string[] {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
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
    readFile: (path) => files.get(path) ?? disk.readFile(path),
    fileExists: (path) => files.has(path) || disk.fileExists(path),
  };
  const program = ts.createProgram(
    [...files.keys()],
    { ...options, noUnusedLocals: false, noUnusedParameters: false },
    host,
  );
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file !== undefined && files.has(file.fileName))
    .map(({ messageText, file, start = 0 }) => {
      const line = file?.text.slice(0, start).split('\n').length;
      return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
}

describe('README.md', () => {
  it('has examples that compile', () => {
    const files = examples().map((code, at) => {
      const prelude = code.includes("from '@nestjs-slim/core'") ? preludes.core : preludes.nest;
      return [`${root}example-${at}.ts`, prelude + code] as const;
    });
    expect(files.length).toBeGreaterThan(2);
    expect(diagnose(new Map(files))).toStrictEqual([]);
  }, 60_000);
});
