import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Recorded complaints of others, with code that is wrong on purpose. */
const notOurs = 'nest-complaints.md';
const pages = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md') && name !== notOurs)
  .map((name) => `docs/${name}`);
const documents = ['README.md', ...pages.toSorted()];

/** What snippets without imports leave out, as a reader would fill it in. */
const prelude = `
import { Body, Catch, Controller, Get, Inject, Injectable, Module, Post, UseFilters, UsePipes } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, Ctx, EventPattern, MessagePattern, Payload, RpcException, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { ChannelClosed, ChannelMessage, InjectChannel, ParticipantJoined, SlimChannel, SlimChannelRef } from 'nestjs-slim';
import { SlimContext, SlimError, SlimException, SlimName, SlimNode, SlimRecordBuilder, HttpExceptionsFilter } from 'nestjs-slim';
import { SlimClient, SlimModule, SlimParam, SlimServer, SlimSignal, SlimSource, sharedSecret, slimMicroservice } from 'nestjs-slim';
import { SlimFabric } from 'nestjs-slim/testing';
import type { INestApplication, INestMicroservice } from '@nestjs/common';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import type { ItemStream, SlimApp } from 'nestjs-slim';
import { catchError, firstValueFrom, lastValueFrom, type Observable } from 'rxjs';
interface Order { readonly customer: string }
interface Invoice { readonly number: number }
class ConfigService { get(key: string) { return process.env[key] } getOrThrow(key: string) { return process.env[key] ?? '' } }
const identity = sharedSecret({ secret: 'x'.repeat(32) });
@Module({}) class AppModule {}
declare const node: string;
declare const client: SlimClient;
declare const room: SlimChannelRef;
declare const report: object;
declare const order: Order;
`;

interface Block {
  /** Where it is, for messages. */
  readonly where: string;
  readonly language: string;
  /** What follows the language: nothing, `continued`, or the file that it is an excerpt of. */
  readonly info: string;
  readonly code: string;
}

function blocksOf(document: string): Block[] {
  const text = readFileSync(`${root}${document}`, 'utf8');
  return [...text.matchAll(/^ *```(\w+) ?(.*)\n([^]*?)^ *```$/gm)].map((match) => {
    const [, language = '', info = '', code = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    return { where: `${document}:${line}`, language, info, code };
  });
}

function isExcerpt({ info }: Block): boolean {
  return info.includes('/');
}

/** What a snippet says stands in the file, in that order; `// …` leaves something out. */
function missingFrom(file: string, { code }: Block): string | undefined {
  const linesOf = (text: string): string => text.trim().replace(/^ +/gm, '');
  let rest = `\n${linesOf(readFileSync(`${root}${file}`, 'utf8'))}\n`;
  for (const part of code.split(/^ *\/\/ …$/m)) {
    const wanted = `\n${linesOf(part)}\n`;
    const at = rest.indexOf(wanted);
    if (at < 0) return wanted;
    rest = rest.slice(at + wanted.length - 1);
  }
  return undefined;
}

/** The snippets of a document as files to compile; one that continues stands below those it continues. */
function programsOf(document: string): [path: string, code: string][] {
  const programs: [string, string][] = [];
  for (const block of blocksOf(document)) {
    if (block.language !== 'ts' || isExcerpt(block)) continue;
    const last = programs.at(-1);
    if (block.info === 'continued' && last) last[1] += block.code;
    else programs.push([`${root}${block.where.replace(':', '-')}.ts`, complete(block.code)]);
  }
  return programs;
}

function complete(code: string): string {
  return /^import /m.test(code) ? `${code}\nexport {};\n` : prelude + code;
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
  return [...files.keys()]
    .map((path) => program.getSourceFile(path))
    .flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ])
    .map(({ messageText, file, start = 0 }) => {
      const line = file?.text.slice(start).split('\n')[0];
      return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} at ${line}`;
    });
}

/** Tells that the compiler sees what it is given. */
const wrong = [`${root}wrong.ts`, 'const text: number = "";'] as const;

describe('the documents', () => {
  it('have snippets that compile', () => {
    const files = documents.flatMap(programsOf);
    expect(files.length).toBeGreaterThan(30);
    expect(diagnose(new Map([...files, wrong]))).toStrictEqual([
      expect.stringContaining(`wrong.ts: Type 'string'`),
    ]);
  }, 120_000);

  const excerpts = documents.flatMap(blocksOf).filter(isExcerpt);

  it.each(excerpts.map((block) => [block.where, block.info, block] as const))(
    'show at %s what is in %s',
    (_, file, block) => {
      expect(missingFrom(file, block)).toBeUndefined();
    },
  );

  it('show every example', () => {
    const folders = excerpts.map(({ info }) => dirname(info));
    const shown = new Set(folders.filter((folder) => folder.startsWith('examples/')));
    const examples = readdirSync(`${root}examples`, { withFileTypes: true });
    const names = examples.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect([...shown].toSorted()).toStrictEqual(names.map((name) => `examples/${name}`).toSorted());
  });

  it('link to what is there', () => {
    const broken = documents.flatMap((document) => {
      const text = readFileSync(`${root}${document}`, 'utf8').replaceAll(/^```[^]*?^```/gm, '');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)];
      return links
        .map(([, path = '']) => join(dirname(document), path))
        .filter((path) => !existsSync(join(root, path)));
    });
    expect(broken).toStrictEqual([]);
  });
});
