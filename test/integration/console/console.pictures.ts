import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import { ALL_PAGES } from '../../support/console/all-pages.js';
import { launchBrowser, openPage } from '../../support/console/browser.js';
import { NOW } from '../../support/console/night.js';
import { type PagesServer, startPagesServer } from '../../support/console/pages-server.js';
import { palettePng } from '../../support/console/palette-png.js';

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
          writeFileSync(join(FOLDER, file), palettePng(await page.screenshot({ fullPage: true })));
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
