import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError, type Link } from '@nestjs-slim/core';
import { ForwardingLink } from '@nestjs-slim/core/testing';
import { listenHttp2, SlimNode } from '@nestjs-slim/platform-node';
import { channel } from './channel.js';
import { listen } from './listen.js';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A link that sends two frames, and instead of the third calls `instead`. */
class AnsweringTwice extends ForwardingLink {
  #answers = 0;
  readonly #instead: () => void;

  constructor(link: Link, instead: () => void) {
    super(link);
    this.#instead = instead;
  }

  override send(frame: Uint8Array): boolean {
    this.#answers += 1;
    if (this.#answers <= 2) return super.send(frame);
    if (this.#answers === 3) this.#instead();
    return true;
  }
}

/** A node that agrees to links and knows one name of each; instead of its third answer it calls `instead`. */
async function startNode(instead: () => void): Promise<string> {
  const node = await SlimNode.start({
    listen: (accept) =>
      listenHttp2({ host: '127.0.0.1', port: 0 }, (link) =>
        accept(new AnsweringTwice(link, instead)),
      ),
  });
  ends.push(() => node.close());
  return node.url ?? '';
}

describe('a command that is told to stop while it subscribes', () => {
  it.each([
    ['listen', listen, ['acme/test/found']],
    ['channel join', channel, ['join', 'acme/test/found', '--message', 'hello']],
  ])('ends: slim %s', async (_name, command, words) => {
    const stop = new AbortController();
    const url = await startNode(() => stop.abort(new SlimError('aborted', 'stopped')));
    const common = [
      '--name',
      'acme/test/own',
      '--node',
      url,
      '--secret',
      'commands-that-stop-early-share-this',
    ];
    const running = command([...words, ...common], stop.signal);
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
    expect(stop.signal.aborted).toBe(true);
  });
});
