import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError, type Link } from '@nestjs-slim/core';
import { listenHttp2, SlimNode } from '@nestjs-slim/platform-node';
import { channel } from './channel.js';
import { listen } from './listen.js';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A node that agrees to links and knows one name of each; instead of its third answer it calls `instead`. */
async function startNode(instead: () => void): Promise<string> {
  const node = await SlimNode.start({
    listen: (accept) =>
      listenHttp2({ host: '127.0.0.1', port: 0 }, (link) => accept(answeringTwice(link, instead))),
  });
  ends.push(() => node.close());
  return node.url ?? '';
}

function answeringTwice(link: Link, instead: () => void): Link {
  let answers = 0;
  const send = (frame: Uint8Array): boolean => {
    answers += 1;
    if (answers <= 2) return link.send(frame);
    if (answers === 3) instead();
    return true;
  };
  return {
    remote: link.remote,
    open: (events) => link.open(events),
    send,
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: (reason) => link.close(reason),
    destroy: (reason) => link.destroy(reason),
  };
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
