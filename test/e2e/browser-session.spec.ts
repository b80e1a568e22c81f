import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { listenWebSocket, SlimNode } from '@nestjs-slim/platform-node';
import { SlimContext, SlimModule, sharedSecret, slimMicroservice } from 'nestjs-slim';
import { BrowserPage } from '../support/browser-page.js';

const secret = 'browser-tests-share-this-secret-of-40-bytes';
const service = 'acme/billing/invoices';
const host = '127.0.0.1';
const limitMs = 60_000;

@Controller()
class Invoices {
  @MessagePattern(service)
  answer(@Payload() data: { readonly text: string }, @Ctx() context: SlimContext): unknown {
    const { mls } = context.getSession();
    return { answer: data.text.toUpperCase(), from: context.getSource().service, mls };
  }
}

describe('a page in a browser', () => {
  const forwarded: Buffer[] = [];
  let node: SlimNode;
  let app: INestMicroservice;
  let page: BrowserPage;

  beforeAll(async () => {
    node = await SlimNode.start({
      listen: [
        (accept) => listenWebSocket({ host, port: 0, path: '/slim' }, accept),
        { host, port: 0 },
      ],
      onForward: (frame) => forwarded.push(Buffer.from(frame)),
    });
    const module = await Test.createTestingModule({
      imports: [
        SlimModule.forRoot({
          name: service,
          identity: sharedSecret({ secret }),
          node: node.urls[1] ?? '',
        }),
      ],
      controllers: [Invoices],
    }).compile();
    app = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    await app.listen();
    page = await BrowserPage.start();
  }, limitMs);

  afterAll(async () => {
    await page?.close();
    await app?.close();
    await node?.close();
  }, limitMs);

  it(
    'opens an MLS session with a Nest service through our node, and gets its answers',
    async () => {
      const opened = await page.open({ node: node.url ?? '', service, secret });
      expect(opened).toMatch(/^session with acme\/billing\/invoices\/[0-9a-f-]{36}, MLS: true$/);
      for (const text of ['the first question', 'and one more']) {
        const answer = { answer: text.toUpperCase(), from: 'acme/shop/page', mls: true };
        expect(JSON.parse(await page.ask(text))).toStrictEqual(answer);
      }
      expect(page.complaints).toStrictEqual([]);
    },
    limitMs,
  );

  it('sends nothing that the node could read', () => {
    const all = Buffer.concat(forwarded);
    expect(all.includes(service)).toBe(true);
    expect(all.includes('question')).toBe(false);
    expect(all.includes('QUESTION')).toBe(false);
  });

  it(
    'says what is wrong where there is no node',
    async () => {
      const wrong = `${(node.url ?? '').replace('/slim', '/elsewhere')}`;
      const line = await page.open({ node: wrong, service, secret });
      expect(line).toMatch(/^link-failed: ws:\/\/127\.0\.0\.1:\d+\/elsewhere: no link, /);
    },
    limitMs,
  );
});
