import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium, type Browser, type Page } from 'playwright-core';
import { browserPath } from '../e2e/demo-browser.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'test/e2e/browser-page');
const sources = {
  '@nestjs-slim/core': 'libs/slim-core/src/index.ts',
  '@nestjs-slim/platform-browser': 'libs/slim-platform-browser/src/index.ts',
};
const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** As strict as docs/browser.md says a page can be. */
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws://127.0.0.1:*";

const args = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** What a page is told: where the node is, whom to ask, and the secret that all share. */
export interface PageSettings {
  readonly node: string;
  readonly service: string;
  readonly secret: string;
}

/** The page of docs/browser.md, bundled and served, in a browser of its own. */
export class BrowserPage {
  readonly #folder: string;
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #page: Page;
  /** What the browser wrote to its console as errors. */
  readonly complaints: string[] = [];

  static async start(): Promise<BrowserPage> {
    const folder = await mkdtemp(join(tmpdir(), 'slim-page-'));
    const server = createServer((request, response) => {
      void serve(folder, request.url ?? '', response);
    });
    try {
      await bundle(folder);
      const browser = await chromium.launch({ executablePath: browserPath(), args });
      server.listen({ host: '127.0.0.1', port: 0 });
      await once(server, 'listening');
      return new BrowserPage({ folder, server, browser, page: await browser.newPage() });
    } catch (reason) {
      await rm(folder, { recursive: true });
      throw reason;
    }
  }

  private constructor(parts: { folder: string; server: Server; browser: Browser; page: Page }) {
    this.#folder = parts.folder;
    this.#server = parts.server;
    this.#browser = parts.browser;
    this.#page = parts.page;
    this.#page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    this.#page.on('pageerror', ({ message }) => this.complaints.push(message));
  }

  /** Loads the page anew, and waits for its first line. */
  async open(settings: PageSettings): Promise<string> {
    const address = this.#server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const words = new URLSearchParams({ ...settings });
    // By way of an empty page: a change behind the # alone loads nothing.
    await this.#page.goto('about:blank');
    this.complaints.length = 0;
    await this.#page.goto(`http://127.0.0.1:${port}/index.html#${words.toString()}`);
    return this.#line(0);
  }

  /** Types the question into the page, presses the button, and waits for the line that it adds. */
  async ask(question: string): Promise<string> {
    const lines = await this.#page.locator('#answers li').count();
    await this.#page.locator('input').fill(question);
    await this.#page.getByRole('button', { name: 'Ask' }).click();
    return this.#line(lines);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
    this.#server.closeAllConnections();
    await rm(this.#folder, { recursive: true });
  }

  #line(index: number): Promise<string> {
    return this.#page.locator('#answers li').nth(index).innerText();
  }
}

/** Writes the page and what it needs into the folder. */
async function bundle(folder: string): Promise<void> {
  await cp(join(source, 'index.html'), join(folder, 'index.html'));
  const aliases = Object.entries(sources).map(([name, file]) => `--alias:${name}=./${file}`);
  // A program of its own: a script of Node.js, or the binary, as the installation left it.
  const program = join(root, 'node_modules/.bin/esbuild');
  const options = ['--bundle', '--splitting', '--format=esm', '--log-level=error'];
  const words = [join(source, 'page.js'), `--outdir=${folder}`, ...options, ...aliases];
  await promisify(execFile)(program, words, { cwd: root });
}

async function serve(folder: string, url: string, response: ServerResponse): Promise<void> {
  const [, name = ''] = /^\/([\w.-]+)$/.exec(url) ?? [];
  try {
    const text = await readFile(join(folder, name));
    const type = types[extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(text);
  } catch {
    // Not a file of the page, such as the icon that browsers ask for.
    response.writeHead(404).end();
  }
}
