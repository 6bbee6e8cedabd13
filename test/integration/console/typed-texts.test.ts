import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_PAGES } from '../../support/console/all-pages.js';
import { launchBrowser, openPage } from '../../support/console/browser.js';
import { NOW } from '../../support/console/night.js';
import { type PagesServer, startPagesServer } from '../../support/console/pages-server.js';
import { isPassedOverWithout } from '../../support/programs.js';

/** Markup, letters that turn round what follows them, and a word without end. */
const TYPED = `<img src=x onerror=alert(1)>\u202e\u05d0${'x'.repeat(400)}END`;

/** What persons and providers write as they like, wherever an answer has it. */
const FREE = new Set([
  'note',
  'approval_note',
  'paused_note',
  'by',
  'paused_by',
  'approved_by',
  'requested_by',
  'description',
  'detail',
  'why',
  'words',
  'label',
  'reference',
  'left_because',
  'outcome',
  'evidence',
  'ledger_says',
  'provider_says',
]);

function typedInto(value: unknown, free: boolean): unknown {
  if (typeof value === 'string') return free ? `${value} ${TYPED}` : value;
  if (Array.isArray(value)) return value.map((one) => typedInto(one, free));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      typedInto(inner, !name.endsWith('_at') && (free || FREE.has(name))),
    ]),
  );
}

/** Texts after which something of ours stands in the same run of letters, which they turn round. */
const TURNED_ROUND = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    if (!walker.currentNode.data.includes('\\u202e')) continue;
    let place = walker.currentNode.parentElement;
    while (getComputedStyle(place).unicodeBidi === 'normal' && getComputedStyle(place).display.startsWith('inline')) place = place.parentElement;
    const after = place.textContent.slice(place.textContent.lastIndexOf('END') + 3);
    if (!/^[\\s.”"')\\]},]*$/.test(after)) found.push(place.className + ': ' + after.slice(0, 80));
  }
  return found;
})()`;

/** What reaches beyond the window, where that can be scrolled to. */
const BEYOND = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.tagName + '.' + one.className).slice(-8)`;

describe.skipIf(isPassedOverWithout('chromium'))('whatever somebody has typed, on every page of the console', () => {
  let server: PagesServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startPagesServer(), launchBrowser()]);
    server.through((body) => typedInto(body, false));
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it.each(Object.entries(ALL_PAGES))('%s: stays text, turns nothing round, and fits a phone', async (_name, path) => {
    const { page, noted, close } = await openPage(browser, { now: NOW });
    try {
      await page.goto(`${server.url}/console${path}`);
      await page.locator('h1').waitFor();
      await page.locator('.loading').first().waitFor({ state: 'detached' });
      expect.soft(await page.locator('img').count()).toBe(0);
      expect.soft(await page.evaluate(TURNED_ROUND)).toEqual([]);
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        await expect.poll(() => page.evaluate(BEYOND), { message: `${width}` }).toEqual([]);
      }
      expect(noted).toEqual([]);
    } finally {
      await close();
    }
  });

  it('is there at all', async () => {
    const { page, close } = await openPage(browser, { now: NOW });
    await page.goto(`${server.url}/console/approvals`);
    const shown = page.getByText('<img src=x onerror=alert(1)>');
    await expect.poll(() => shown.count()).toBeGreaterThan(1);
    await close();
  });
});
