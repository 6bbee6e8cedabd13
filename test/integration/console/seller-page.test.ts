import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser, openPage } from '../../support/console/browser.js';
import { IDS, NOW } from '../../support/console/night.js';
import { type PagesServer, startPagesServer } from '../../support/console/pages-server.js';
import { isPassedOverWithout } from '../../support/programs.js';

const ACCOUNT = 'acct_1QmWeaving';
const NONE = { owed: 0, to_offset: 0, on_its_way: 0, offset: 0, taken: 0, given_up: 0 };
const SELLER = {
  account: ACCOUNT,
  state: 'waiting',
  reason: 'requirements.past_due',
  since: '2026-11-01T00:00:00.000Z',
  transfers: [{ id: IDS.order, status: 'waiting_seller', amount: 4_200, currency: 'USD' }],
  sums: [],
  balances: [
    { ...NONE, currency: 'JPY', owed: 700 },
    { ...NONE, currency: 'USD', owed: 50_000, to_offset: 50_000, offset: 30_000 },
  ],
  story: [
    {
      at: '2026-11-02T00:00:00.000Z',
      what: 'offset_reserved',
      amount: 30_000,
      currency: 'USD',
      reversal_id: IDS.reversals[1],
      order_id: IDS.order,
      transfer_id: IDS.order,
      offset_transfer_id: IDS.order,
    },
  ],
};

describe.skipIf(isPassedOverWithout('chromium'))('the page of a seller', () => {
  let server: PagesServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startPagesServer(), launchBrowser()]);
    server.signedIn({ name: 'olga', role: 'operator' });
    server.live(true);
    server.answer(`/api/v1/sellers/${ACCOUNT}`, { status: 200, body: SELLER });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it('is linked from his account, and tells each currency by itself, the shares that wait and the story', async () => {
    const { page, noted, close } = await openPage(browser, { now: NOW });
    await page.goto(`${server.url}/console/search?q=${ACCOUNT}`);
    await page.getByRole('link', { name: 'What this seller owes' }).click();
    await page.getByRole('heading', { name: `Seller ${ACCOUNT}` }).waitFor();
    await page.getByText('requirements.past_due').waitFor();
    const owes = page.getByRole('region', { name: 'What he owes' });
    expect(await owes.locator('dl').count()).toBe(2);
    expect(await owes.innerText()).toMatch(/700\s*JPY[\s\S]*500\s*\.?00\s*USD[\s\S]*300\s*\.?00\s*USD/);
    const story = page.getByRole('region', { name: 'How it came about' });
    expect(await story.getByRole('link').count()).toBe(3);
    expect(await axeViolations(page)).toEqual([]);
    for (const width of [1180, 390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    }
    await page.goto(`${server.url}/console/transfers`);
    await page.locator(`table a[href^="/console/seller/"]`).first().waitFor();
    await close();
    expect(noted).toEqual([]);
  }, 60_000);
});
