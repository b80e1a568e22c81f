import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { checkUrl, WebClient, type Fetch, type WebOptions } from './web-request.js';

const url = 'https://issuer.example/keys?code=do-not-log';

function setup(fetch: Fetch, options: WebOptions = {}) {
  const clock = new ManualClock();
  return { clock, web: new WebClient({ fetch, ...options }, clock) };
}

const answering =
  (body: string | ReadableStream<Uint8Array>, status = 200): Fetch =>
  () =>
    Promise.resolve(new Response(body, { status }));

describe('a web client', () => {
  it('gives the status and the JSON object of an answer', async () => {
    const { web, clock } = setup(answering('{"a":1}', 404));
    expect(await web.json({ url })).toStrictEqual({ status: 404, json: { a: 1 } });
    expect(clock.pending).toBe(0);
  });

  it.each([['{'], ['[]'], ['7'], ['null'], ['']])('has no JSON object in %j', async (body) => {
    const { web } = setup(answering(body));
    expect(await web.json({ url })).toStrictEqual({ status: 200, json: undefined });
  });

  it('asks for JSON and does not follow redirections', async () => {
    const asked: unknown[] = [];
    const { web } = setup((...request) => {
      asked.push(request);
      return Promise.resolve(new Response('{}'));
    });
    await web.json({ url });
    await web.json({ url, body: 'a=b', headers: { authorization: 'x' } });
    const common = { redirect: 'error', signal: expect.any(AbortSignal) };
    const accept = 'application/json';
    expect(asked).toStrictEqual([
      [url, { ...common, method: 'GET', headers: { accept } }],
      [url, { ...common, method: 'POST', headers: { accept, authorization: 'x' }, body: 'a=b' }],
    ]);
  });

  it('calls the fetch of a browser as that wants it, as no method of anything', async () => {
    const { web } = setup(function (this: unknown) {
      if (this !== undefined) throw new TypeError('Illegal invocation');
      return Promise.resolve(new Response('{}'));
    });
    expect(await web.json({ url })).toStrictEqual({ status: 200, json: {} });
  });

  it.each([
    ['at all', () => new Promise<never>(() => undefined)],
    ['to its end', answering(new ReadableStream())],
  ] as readonly (readonly [string, Fetch])[])(
    'gives up an answer that does not come %s',
    async (_what, fetch) => {
      const { web, clock } = setup(fetch, { timeoutMs: 700 });
      const asking = web.json({ url });
      clock.advance(700);
      await expect(asking).rejects.toMatchObject({
        code: 'link-failed',
        message: 'https://issuer.example/keys: no answer in 700 ms',
      });
      expect(clock.pending).toBe(0);
    },
  );

  it.each([0, -1, NaN, Infinity])('cannot wait %d ms', (timeoutMs) => {
    expect(() => setup(answering('{}'), { timeoutMs })).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
  });

  it('gives up when it is closed, and then asks no more', async () => {
    const { web, clock } = setup(() => new Promise<never>(() => undefined));
    const asking = web.json({ url });
    web.close();
    web.close();
    await expect(asking).rejects.toMatchObject({ code: 'aborted' });
    await expect(web.json({ url })).rejects.toMatchObject({ code: 'aborted' });
    expect(clock.pending).toBe(0);
  });

  it('reads no more than a bounded answer', async () => {
    let pulled = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(100_000).fill(32));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    const { web } = setup(answering(endless));
    await expect(web.json({ url })).rejects.toMatchObject({
      code: 'link-failed',
      message: 'https://issuer.example/keys: the answer has more than 1048576 bytes',
    });
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(20);
  });

  it('says why there was no connection, and nothing of the query', async () => {
    const { web } = setup(() =>
      Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })),
    );
    await expect(web.json({ url })).rejects.toMatchObject({
      code: 'link-failed',
      message: 'https://issuer.example/keys: ECONNREFUSED',
    });
  });
});

describe('a URL that is asked', () => {
  it.each(['https://a.example/x', 'http://localhost:1', 'http://127.0.0.1:1/x', 'http://[::1]/'])(
    'may be %s',
    (text) => {
      expect(checkUrl(text, 'it', {}).href).toContain(text);
    },
  );

  it.each([
    ['http://a.example/x?y', 'expected it to be https, got http://a.example/x'],
    ['http://localhost.a.example', 'expected it to be https, got http://localhost.a.example/'],
    ['ftp://localhost/', 'expected it to be https, got ftp://localhost/'],
    ['file:///etc/passwd', 'expected it to be https, got file:///etc/passwd'],
    ['https://user:word@a.example', 'expected it to be without user and password'],
    ['a.example', 'expected it to be a URL'],
    [undefined, 'expected it to be a URL'],
  ])('may not be %s', (text, message) => {
    expect(() => checkUrl(text, 'it', {})).toThrow(
      expect.objectContaining({ code: 'invalid-config', message }),
    );
  });

  it('may be http to elsewhere when that is allowed', () => {
    expect(checkUrl('http://a.example/', 'it', { allowHttp: true }).host).toBe('a.example');
  });
});
