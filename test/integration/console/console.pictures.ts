import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import { ALL_PAGES } from '../../support/console/all-pages.js';
import { launchBrowser, openPage } from '../../support/console/browser.js';
import { type PagesServer, startPagesServer } from '../../support/console/pages-server.js';
import { NOW } from '../../support/console/planned-answers.js';

/** `npm run console-pictures`: every page at 1440 and 390 pixels, some in the dark, into docs/console. */
const FOLDER = join(projectRoot(), 'docs', 'console');
const DARK = ['overview', 'stuck-reversal', 'settlements'];

describe('pictures of the console', () => {
  let server: PagesServer;
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(FOLDER, { recursive: true });
    [server, browser] = await Promise.all([startPagesServer(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it.each([1440, 390])(
    'are taken of every page at %i pixels',
    async (width) => {
      for (const [name, path] of [...Object.entries(ALL_PAGES), ['sign-in', '/'] as const]) {
        server.signedIn(name === 'sign-in' ? undefined : { name: 'olga', role: 'operator' });
        for (const scheme of DARK.includes(name) ? (['light', 'dark'] as const) : (['light'] as const)) {
          const { page, noted, close } = await openPage(browser, {
            width,
            height: width === 390 ? 844 : 900,
            scheme,
            now: NOW,
          });
          await page.goto(`${server.url}/console${path}`);
          await page.locator('h1').waitFor();
          await page.locator('.loading').first().waitFor({ state: 'detached' });
          if (name === 'stuck-reversal') await page.getByRole('radio', { name: /write off/ }).check();
          if (name === 'decide-many') await page.getByRole('button', { name: 'Preview' }).click();
          if (name === 'decide-many') await page.getByText('What would be decided').waitFor();
          await page.evaluate('window.scrollTo(0, 0)');
          const file = `${name}-${width}${scheme === 'dark' ? '-dark' : ''}.png`;
          writeFileSync(join(FOLDER, file), smaller(await page.screenshot({ fullPage: true })));
          const wider = await page.evaluate('document.documentElement.scrollWidth');
          expect.soft(wider, `${file} is as wide as its screen`).toBeLessThanOrEqual(width);
          expect.soft(noted, file).toEqual([]);
          await close();
        }
      }
    },
    180_000,
  );
});

/** The same picture, packed as tightly as its format allows: Chromium packs in a hurry. */
function smaller(png: Buffer): Buffer {
  const chunks: { readonly type: string; readonly data: Buffer }[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  const pixels = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  const header = chunks.find(({ type }) => type === 'IHDR')?.data ?? Buffer.alloc(0);
  const packed = deflateSync(pixels, { level: 9, memLevel: 9 });
  const parts = [chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([png.subarray(0, 8), ...parts]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
