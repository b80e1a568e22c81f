import { setTimeout as pause } from 'node:timers/promises';
import { SlimError } from '@nestjs-slim/core';
import type { NodeStatus } from '@nestjs-slim/node';
import { parseCommandLine } from '../command-line.js';
import { formatFailure, print } from '../output.js';
import { Screen } from '../top/screen.js';
import { askStatus, statusUrl } from '../top/status-source.js';
import { linksThatFit, topView } from '../top/top-view.js';

const defaultAdmin = 'http://127.0.0.1:46380';
const defaultIntervalMs = 1_000;
/** Of a node with more, a script sees those with the most traffic. */
const printedLinks = 100;

interface Watch {
  readonly url: URL;
  readonly intervalMs: number;
  readonly stop: AbortSignal;
}

/** `slim top [--admin URL] [--interval MS] [--count N]`: the links of a node, live. */
export async function top(words: readonly string[], stop: AbortSignal): Promise<void> {
  const options = {
    admin: { type: 'string' },
    interval: { type: 'string' },
    count: { type: 'string' },
  } as const;
  const line = parseCommandLine(words, options, 'none');
  const url = statusUrl(line.text('admin') ?? defaultAdmin);
  const intervalMs = line.count('interval', 100) ?? defaultIntervalMs;
  const count = line.count('count', 1);
  const isAtTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const watch = { url, intervalMs, stop };
  await (isAtTerminal && count === undefined ? show(watch) : report(watch, count ?? Infinity));
}

/** One line of JSON for each interval, for scripts. */
async function report({ url, intervalMs, stop }: Watch, count: number): Promise<void> {
  for (let left = count; left > 0 && !stop.aborted; left -= 1) {
    const status = await undefinedIfAborted(askStatus(url, printedLinks, stop), stop);
    if (status) print('status', fieldsOf(status));
    if (left > 1) await undefinedIfAborted(pause(intervalMs, undefined, { signal: stop }), stop);
  }
}

/** The screen of a terminal, until the person leaves. */
async function show({ url, intervalMs, stop }: Watch): Promise<void> {
  // A URL with nobody there is told as an error, and not on a screen of its own.
  let status = await undefinedIfAborted(askStatus(url, printedLinks, stop), stop);
  if (!status) return;
  const left = new AbortController();
  const until = AbortSignal.any([stop, left.signal]);
  let problem: string | undefined;
  const draw = (): void => {
    if (status) screen.draw(topView(status, screen.size, problem));
  };
  const screen = new Screen(
    { input: process.stdin, output: process.stdout },
    { resized: draw, left: () => left.abort(new SlimError('aborted', 'the person left')) },
  );
  try {
    draw();
    while (!until.aborted) {
      await undefinedIfAborted(pause(intervalMs, undefined, { signal: until }), until);
      if (until.aborted) return;
      try {
        status = await askStatus(url, linksThatFit(screen.size), until);
        problem = undefined;
      } catch (reason) {
        // A node that is started again is there again after a while.
        problem = `! ${formatFailure(reason)}`;
      }
      draw();
    }
  } finally {
    screen.close();
  }
}

function fieldsOf({ node, counters, traffic, links, routes }: NodeStatus): Record<string, unknown> {
  const { received, forwarded, dropped } = traffic;
  const last = { received: received.at(-1), forwarded: forwarded.at(-1), dropped: dropped.at(-1) };
  return { ...node, counters, rates: last, routes: routes.total, links: links.items };
}

/** Undefined when it was stopped; that is no failure of a command that runs until then. */
async function undefinedIfAborted<Value>(
  task: Promise<Value>,
  stop: AbortSignal,
): Promise<Value | undefined> {
  try {
    return await task;
  } catch (reason) {
    if (stop.aborted) return undefined;
    throw reason;
  }
}
