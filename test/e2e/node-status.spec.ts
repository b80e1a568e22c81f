import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sharedSecret } from '@nestjs-slim/core';
import { http2Dialler, SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { chromium, type Browser, type Page } from 'playwright-core';
import { createLog, startAdmin, type Admin } from '../../src/node/src/admin/index.js';
import { firstSession } from '../support/sessions.js';
import { SlimCommand } from '../support/slim-command.js';
import { SlimTerminal } from '../support/slim-terminal.js';
import { browserPath } from './demo-browser.mjs';

/** A browser starts, which takes its time on a busy machine. */
const limitMs = 60_000;
jest.setTimeout(30_000);

const identity = sharedSecret({ secret: 'tests-of-the-status-page-share-this' });

/** What a peer may call itself, and what must not happen then. */
const hostileName = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

describe('a node with traffic', () => {
  let node: SlimNode;
  let admin: Admin;
  const complaints: string[] = [];
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    node = await SlimNode.start({
      ...{ nodeId: 'status-test', listen: { host: '127.0.0.1', port: 0 } },
    });
    ends.push(() => node.close());
    const log = createLog({ level: 'off' });
    admin = await startAdmin(node, { endpoint: '127.0.0.1:0', log });
    ends.push(() => admin.close());
    await strangeNeighbour();
    await traffic();
  }, limitMs);

  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  }, limitMs);

  async function strangeNeighbour(): Promise<void> {
    const neighbour = await SlimNode.start({ nodeId: hostileName });
    ends.push(() => neighbour.close());
    const established = new Promise<void>((resolve) => {
      node.on('link', () => resolve());
    });
    neighbour.connect(http2Dialler(String(node.url)), { kind: 'edge' });
    await established;
  }

  /** A service, and an application that calls it all the time, and one that is not there now and then. */
  async function traffic(): Promise<void> {
    const url = String(node.url);
    const service = await SlimApp.connect({ name: 'acme/billing/invoices', identity, node: url });
    ends.push(() => service.close());
    const gateway = await SlimApp.connect({ name: 'acme/shop/gateway', identity, node: url });
    ends.push(() => gateway.close());
    let isEnding = false;
    const failedUnlessEnding = (reason: unknown): void => {
      if (!isEnding) complaints.push(String(reason));
    };
    const served = firstSession(service);
    const session = await gateway.openSession('acme/billing/invoices', { mls: false });
    const incoming = await served;
    const reading = (async () => {
      for await (const message of incoming) {
        // The last answers find a session that is closed.
        await message.reply(message.payload).catch(failedUnlessEnding);
      }
    })();
    const answers = (async () => {
      for await (const answer of session) void answer;
    })();
    const calling = setInterval(() => {
      void session.publish(Buffer.alloc(600)).catch(failedUnlessEnding);
    }, 10);
    const astray = setInterval(() => {
      // Nobody has that name, so the node drops what discovers it.
      void gateway.openSession('acme/shop/nobody', { discoveryMs: 20 }).catch(() => undefined);
    }, 250);
    ends.push(async () => {
      isEnding = true;
      clearInterval(calling);
      clearInterval(astray);
      await session.close();
      await Promise.all([reading, answers]);
    });
  }

  describe('the status page', () => {
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: browserPath(),
        args: [
          ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
          ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
        ],
      });
      page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', ({ message }) => complaints.push(message));
      await page.goto(admin.url);
      await page.getByText('live', { exact: true }).waitFor();
    }, limitMs);

    afterAll(() => browser?.close(), limitMs);

    /** A number of the page, once it matches. */
    async function number(id: string, expected: RegExp): Promise<number> {
      const shown = page.locator(`#${id}`, { hasText: expected });
      return Number((await shown.innerText()).replaceAll(/[^\d.]/g, ''));
    }

    /** Waits for another number, and tells how much there is more. */
    async function increase(id: string): Promise<number> {
      const before = await page.locator(`#${id}`).innerText();
      await page.locator(`#${id}`).filter({ hasNotText: before }).waitFor();
      return (await number(id, /\d/)) - Number(before.replaceAll(/[^\d.]/g, ''));
    }

    it('shows links with the names behind them, and routes', async () => {
      const rows = page.locator('#links tbody tr');
      await rows.nth(2).waitFor();
      const links = await rows.allInnerTexts();
      expect(links.filter((text) => text.includes('acme/billing/invoices'))).toHaveLength(1);
      expect(await page.locator('#routes tbody tr').allInnerTexts()).toContainEqual(
        expect.stringMatching(/^acme\/shop\/gateway\s+[-0-9a-f]{36}\s+#\d+$/),
      );
      expect(await page.locator('h1').innerText()).toBe('status-test');
    });

    it('shows rates and totals as they rise, and what is dropped', async () => {
      expect(await number('received-rate', /^[1-9]/)).toBeGreaterThan(0);
      expect(await increase('received')).toBeGreaterThan(0);
      expect(await increase('forwarded')).toBeGreaterThan(0);
      await page.locator('#reasons', { hasText: /no-route\s*\d+/ }).waitFor();
      const busy = page.locator('#links tr', { hasText: 'acme/billing/invoices' });
      await busy.locator('.rate', { hasText: /[1-9]/ }).first().waitFor();
    });

    it('shows what a stranger calls itself as text, and nothing else', async () => {
      const name = page.locator('#links .name', { hasText: 'onerror' });
      expect(await name.innerText()).toContain(hostileName);
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.title()).toBe('status-test – SLIM node');
    });

    it('finds and follows', async () => {
      await page.locator('#routes-search').fill('billing');
      await page
        .locator('#routes')
        .getByText('acme/shop/gateway')
        .first()
        .waitFor({ state: 'detached' });
      expect(await page.locator('#routes tbody').innerText()).toContain('acme/billing/invoices');
      await page.locator('#links-search').fill('no such link');
      await page.locator('#links-empty', { hasText: 'Nothing here matches.' }).waitFor();
      await page.locator('#links-search').fill('');
      await page.locator('#routes-search').fill('');
      await page.getByRole('button', { name: 'acme/shop/gateway' }).click();
      await page.getByRole('button', { name: /^Only link \d+/ }).waitFor();
      await page
        .locator('#routes')
        .getByText('acme/billing')
        .first()
        .waitFor({ state: 'detached' });
      await page.getByRole('button', { name: /^Only link \d+/ }).click();
      await page.locator('#routes').getByText('acme/billing').first().waitFor();
    });

    it('can be held still', async () => {
      const pause = page.getByRole('button', { name: 'Pause' });
      await pause.click();
      await page.getByText('paused', { exact: true }).waitFor();
      expect(await pause.getAttribute('aria-pressed')).toBe('true');
      await pause.click();
      await page.getByText('live', { exact: true }).waitFor();
      expect(await pause.getAttribute('aria-pressed')).toBe('false');
    });

    it('says when the node does not answer, and goes on once it does', async () => {
      const before = complaints.length;
      await page.route('**/status.json*', (route) => route.abort());
      await page.getByText('no answer', { exact: true }).waitFor();
      await page.unroute('**/status.json*');
      await page.getByText('live', { exact: true }).waitFor();
      // The browser itself complains of what it could not load.
      expect(complaints.splice(before).join()).toMatch(/^(Failed to load resource[^,]*,?)+$/);
    });

    it.each(['light', 'dark'] as const)('fits a screen and a phone, %s', async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      await page.evaluate('scrollTo(0, 0)');
      await page.screenshot({ path: join(tmpdir(), `node-status-${colorScheme}.png`) });
      const table = `document.querySelector('#links').parentElement`;
      expect(await page.evaluate(`${table}.scrollWidth - ${table}.clientWidth`)).toBe(0);
      await page.setViewportSize({ width: 360, height: 740 });
      const root = 'document.documentElement';
      expect(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`)).toBe(0);
      await page.screenshot({ path: join(tmpdir(), `node-status-phone-${colorScheme}.png`) });
      await page.setViewportSize({ width: 1280, height: 860 });
    });
  });

  describe('slim top', () => {
    it('draws the links in place, for the size of the terminal, until q', async () => {
      const terminal = new SlimTerminal(['top', '--admin', admin.url, '--interval', '200'], {
        columns: 120,
      });
      const head = /^LINK +KIND +OTHER END +NAMES +IN\/s +OUT\/s +IN +OUT +DROPPED +UP$/;
      await terminal.shows(/^slim top {2}status-test {2}running {2}up \d/);
      await terminal.shows(/received \d+\/s .* dropped \S+ \(\d+\) no-route \d+/, '', head);
      await terminal.shows(/^#\d+ +edge in +\S.* acme\/billing\/invoices +[1-9]\d* +[1-9]\d* /);
      const names = terminal.rows.filter((row) => row.includes('acme/billing/invoices'));
      expect(names).toHaveLength(1);
      terminal.resize(90, 9);
      await terminal.shows('… and 1 more');
      expect(Math.max(...terminal.rows.map((row) => row.length))).toBeLessThanOrEqual(90);
      terminal.press('q');
      expect(await terminal.exitCode()).toBe(0);
      // What was on the terminal before is there again, which is nothing.
      expect(terminal.rows).toStrictEqual([]);
    });

    it('prints a line of JSON for each interval when nobody looks', async () => {
      const command = new SlimCommand(
        'top',
        '--admin',
        admin.url,
        '--interval',
        '100',
        '--count',
        '2',
      );
      const { lines, code } = await command.finished();
      expect(code).toBe(0);
      expect(lines).toHaveLength(2);
      expect(lines[1]).toMatchObject({ event: 'status', nodeId: 'status-test', state: 'running' });
      const stopped = new SlimCommand('top', '--admin', admin.url);
      await stopped.line('status');
      expect((await stopped.stop()).code).toBe(0);
    });

    it('says when there is no node', async () => {
      const command = new SlimCommand('top', '--admin', String(node.url));
      expect(await command.finished()).toMatchObject({
        ...{ code: 1, lines: [{ event: 'error', code: 'link-failed' }] },
      });
    });
  });

  it('had nothing to complain about', () => {
    expect(complaints).toStrictEqual([]);
  });
});
