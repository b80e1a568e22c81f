import { systemClock } from '@nestjs-slim/core';
import { SlimNode } from '@nestjs-slim/platform-node';
import { createLog, NodeLog, startAdmin, type Log, type LogOptions } from '../admin/index.js';
import type { ConfigIssue } from '../config/config-issue.js';
import type { NodeConfig } from '../config/node-config.js';
import { Drain } from './drain.js';
import type { OnFileError } from './file-errors.js';
import { nodeParts } from './node-parts.js';
import { Owned } from './owned.js';

const defaultDrainMs = 10_000;

/** What a node that runs by a configuration can be asked. */
export interface RunningNode {
  /** Where it listens, in the order of the servers; a free port has its number here. */
  readonly urls: readonly string[];
  /** The status page; undefined when it is off. */
  readonly adminUrl: string | undefined;
  /** Drains within `runtime.drain_timeout`, and closes all that was opened. May be called twice. */
  close(): Promise<void>;
}

/** How a node is run. */
export interface StartOptions {
  /** What was odd in the configuration, for the log. */
  readonly warnings?: readonly ConfigIssue[];
  /** Lines go there; JSON on standard error unless given. */
  readonly log?: Log;
}

/** How a node is run until somebody says stop. */
export interface RunOptions extends StartOptions {
  readonly stop: AbortSignal;
  /** It listens everywhere, and the clients are being dialled. */
  readonly onReady: (node: RunningNode) => void;
}

/**
 * Runs a node by its configuration until `stop`, then drains it.
 * @throws SlimError `invalid-config`, `link-failed` when a port or file cannot be had
 */
export async function runNode(
  config: NodeConfig,
  { stop, onReady, ...options }: RunOptions,
): Promise<void> {
  const node = await startNode(config, options);
  try {
    onReady(node);
    await aborted(stop);
  } finally {
    await node.close();
  }
}

/**
 * Starts a node by its configuration. Links that it dials come up later, and again when they are lost.
 * @throws SlimError `invalid-config`, `link-failed` when a port or file cannot be had
 */
export async function startNode(
  config: NodeConfig,
  options: StartOptions = {},
): Promise<RunningNode> {
  const owned = new Owned();
  try {
    return await start(config, options, owned);
  } catch (reason) {
    await owned.close();
    throw reason;
  }
}

async function start(
  config: NodeConfig,
  { warnings = [], log = createLog(levelOf(config)) }: StartOptions,
  owned: Owned,
): Promise<RunningNode> {
  const lines = owned.add(new NodeLog(log, systemClock));
  for (const { path, message } of warnings) lines.configWarning(path, message);
  const unusable =
    (event: string): OnFileError =>
    ({ code, message }) =>
      log.warn({ event, code, reason: message }, 'changed files cannot be used');
  const fileErrors = { tls: unusable('tls-files'), keySet: unusable('key-set-file') };
  const { clients, ...settings } = await nodeParts(config, owned, fileErrors);
  const node = await SlimNode.start(settings);
  const drain = owned.add(new Drain(node, lines, drainMsOf(config)));
  lines.watch(node);
  for (const { dialler, options } of clients) node.connect(dialler, options);
  const endpoint = config.nestjs_slim?.admin?.endpoint;
  const admin = owned.add(
    endpoint === undefined ? undefined : await startAdmin(node, { endpoint, log }),
  );
  // Once more, so that the admin port says that the node is draining while it is.
  owned.add(drain);
  lines.started({ nodeId: node.snapshot().nodeId, urls: node.urls });
  return { urls: node.urls, adminUrl: admin?.url, close: () => owned.close() };
}

function drainMsOf({ runtime }: NodeConfig): number {
  return runtime?.drain_timeout?.ms ?? defaultDrainMs;
}

function levelOf({ tracing }: NodeConfig): LogOptions {
  return tracing?.log_level ? { level: tracing.log_level } : {};
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
