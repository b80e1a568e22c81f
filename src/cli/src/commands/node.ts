import { readFile } from 'node:fs/promises';
import { SlimError } from '@nestjs-slim/core';
import { SlimNode } from '@nestjs-slim/platform-node';
import { parseCommandLine } from '../command-line.js';
import { parseNodeConfig, parseListenAddress, type NodeConfig } from '../node-config.js';
import { log, print } from '../output.js';

const defaultListen = '127.0.0.1:46357';

/** `slim node [--config FILE] [--listen HOST:PORT]`: runs a routing node until it is told to stop. */
export async function node(words: readonly string[], stop: AbortSignal): Promise<void> {
  const options = { config: { type: 'string' }, listen: { type: 'string' } } as const;
  const line = parseCommandLine(words, options, 'none');
  const path = line.text('config');
  const listen = line.text('listen');
  const fromFile: NodeConfig | undefined = path === undefined ? undefined : await read(path);
  const address =
    listen === undefined && fromFile
      ? fromFile.listen
      : parseListenAddress(listen ?? defaultListen);
  const running = await SlimNode.start({ ...fromFile, listen: address });
  print('ready', { url: running.url });
  await aborted(stop);
  const { received, forwarded, dropped } = running.counters;
  await running.close();
  log(`stopped after ${received} frames in, ${forwarded} out, dropped ${JSON.stringify(dropped)}`);
  print('closed', { url: running.url });
}

async function read(path: string): Promise<NodeConfig> {
  try {
    return await parseNodeConfig(await readFile(path, 'utf8'), path);
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', path);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
