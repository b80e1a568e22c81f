import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { ServiceProcess } from '../../src/demos/service-process.js';
import { browserPath } from './demo-browser.mjs';

const program = new URL('../../dist/demos/incident/main.js', import.meta.url);

it('the demo of a channel shows who reads what, and proves it', async () => {
  // It fails, with exit code 1, unless every proof holds.
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(program)]);
  const proofs = [...stdout.matchAll(/\[story\] PROVEN: (.*)/g)].map(([, claim]) => claim);
  expect(proofs).toStrictEqual([
    'contractor read what was said before its removal, and nothing else',
    'security read what was said after it joined, and nothing else',
    'every change of the members changed the keys, and what was said then is sealed with them',
    'the contractor ignored its removal, and gained nothing',
    'no message was readable in any frame that the node forwarded',
  ]);
  expect(stdout).toMatch(/\[story\] +[1-9]\d* messages still reached it, it opened 0/);
  expect(stdout).toMatch(/\[story\] +[1-9]\d* frames, 0 of 13 texts found in them/);
}, 90_000);

/** The removal waits for somebody who does not answer, and machines differ. */
const limitMs = 60_000;

describe('the page of the incident room', () => {
  let demo: ServiceProcess;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const words = ['--keep'];
    demo = new ServiceProcess(program, { words, env: { PORT: '0' }, onLine: () => undefined });
    // In a profile of its own, which is new and is deleted again.
    browser = await chromium.launch({
      executablePath: browserPath(),
      args: [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', ({ message }) => complaints.push(message));
    const [url = ''] = (await demo.after('Open ')).split(' ');
    await page.goto(url);
  }, limitMs);

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  }, limitMs);

  const members = (state: string): Locator =>
    page.locator('#members li').filter({ hasText: new RegExp(`${state}$`) });
  const messages = (): Locator => page.locator('#entries .message');

  /** Presses the button, and waits for the last line of the chapter. */
  async function nextChapter(lastLine: string): Promise<void> {
    await page.getByRole('button', { name: 'Next chapter' }).click();
    await messages().filter({ hasText: lastLine }).waitFor();
  }

  const epochIs = (epoch: number): Promise<void> =>
    page.locator('#epoch', { hasText: new RegExp(`^${epoch}$`) }).waitFor();

  it(
    'shows the members, and the epoch of their keys',
    async () => {
      await members('online').nth(4).waitFor();
      expect(await members('online').allInnerTexts()).toHaveLength(5);
      expect(await members('not invited').innerText()).toContain('security');
      await epochIs(1);
      expect(await page.locator('#connection').innerText()).toBe('live');
    },
    limitMs,
  );

  it(
    'shows each message beside the bytes that the node forwarded',
    async () => {
      await nextChapter('the rest is internal');
      await page.locator('#entries .message .hex').nth(4).waitFor();
      const shown = await messages().all();
      expect(shown).toHaveLength(5);
      for (const message of shown) {
        const text = await message.locator('.said p').innerText();
        const frame = await message.locator('pre').textContent();
        const hex = [...(frame ?? '').matchAll(/^[0-9a-f]{4} {2}(.{47})/gm)]
          .map(([, row = '']) => row.replaceAll(' ', ''))
          .join('');
        const bytes = Buffer.from(hex, 'hex');
        expect(bytes.includes(text.slice(0, 12))).toBe(false);
        // What nodes route by is not sealed.
        expect(bytes.includes(await message.locator('.by').innerText())).toBe(true);
        expect(await message.locator('.seen').innerText()).toContain('sealed with keys of epoch 1');
      }
    },
    limitMs,
  );

  it(
    'shows that a removed member reads nothing more, and that keys changed for it',
    async () => {
      await nextChapter('until 15:10');
      await epochIs(2);
      expect(await members('removed').innerText()).toContain('contractor');
      const answer = messages().filter({ hasText: 'the password of the payment database' });
      await answer.getByText('✓ triage read it').waitFor();
      expect(await answer.getByText('✗ contractor cannot').count()).toBe(1);
      await answer.getByText('sealed with keys of epoch 2').waitFor();
      await page.getByText('tried to publish once it knew: not-a-member').waitFor();
      expect(await page.locator('#reports').innerText()).toMatch(/sent \d+ more.*could open 0/);
      expect(await page.locator('#frames').innerText()).toContain('from contractor');
    },
    limitMs,
  );

  it(
    'shows that a late member reads nothing of before',
    async () => {
      await nextChapter('incident 7 is closed');
      await epochIs(3);
      const last = messages().last();
      await last.getByText('✓ security read it').waitFor();
      expect(await messages().getByText('✓ security read it').count()).toBe(3);
      await page.getByRole('button', { name: 'The incident is closed' }).waitFor();
      // The picture in docs/images.
      await page.setViewportSize({ width: 1120, height: 700 });
      await page
        .locator('.change[data-kind="left"]')
        .evaluate((change: { scrollIntoView(options: object): void }) =>
          change.scrollIntoView({ block: 'center' }),
        );
      await page.screenshot({ path: join(tmpdir(), 'incident-room.png') });
    },
    limitMs,
  );

  it.each(['light', 'dark'] as const)('fits a phone, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBe(0);
    await page.screenshot({ path: join(tmpdir(), `incident-room-${colorScheme}.png`) });
  });

  it('had nothing to complain about', () => {
    expect(complaints).toStrictEqual([]);
  });
});
