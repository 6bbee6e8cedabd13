import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { chromiumProgram } from '../../support/programs.js';
import type { Asking, Blocked, Seen } from './page.js';

export interface BuyingPage {
  readonly origin: string;
  readonly ask: (asking: Asking) => Promise<Seen | Blocked>;
  /** Where the page finds a chain, until told otherwise. */
  chainAt(url: string): void;
  readonly close: () => Promise<void>;
}

/** A page in a browser, served from an origin of its own. */
export async function openBuyingPage(): Promise<BuyingPage> {
  const script = await bundle(new URL('./page.ts', import.meta.url));
  let chain = '';
  const server = createServer((req, res) => {
    if (req.url === '/rpc') return void forward(req, chain).then((answer) => res.end(answer));
    const [type, body] =
      req.url === '/page.js'
        ? ['text/javascript', script]
        : ['text/html', '<!doctype html><script src="/page.js"></script>'];
    res.setHeader('Content-Type', `${type}; charset=utf-8`).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({ executablePath: chromiumProgram() });
  const page = await browser.newPage();
  await page.goto(origin);
  return {
    origin,
    ask: (asking) =>
      page.evaluate(
        (asked) => (globalThis as never as { ask(asking: Asking): Promise<Seen | Blocked> }).ask(asked),
        asking,
      ),
    chainAt(url) {
      chain = url;
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bundle(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

async function forward(req: AsyncIterable<Buffer>, to: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const headers = { 'Content-Type': 'application/json' };
  return await (await fetch(to, { method: 'POST', headers, body: Buffer.concat(chunks) })).text();
}
