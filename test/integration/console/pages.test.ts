import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { webhookBody } from '../../../src/domain/notifications/message.js';
import { ALL_PAGES } from '../../support/console/all-pages.js';
import { axeViolations, type Looks, launchBrowser, openPage } from '../../support/console/browser.js';
import { IDS, NOW } from '../../support/console/night.js';
import { type PagesServer, startPagesServer } from '../../support/console/pages-server.js';
import { overview } from '../../support/console/planned-answers.js';
import { isPassedOverWithout } from '../../support/programs.js';

const OPERATOR = { name: 'olga', role: 'operator' } as const;
const ILL = {
  status: 503,
  body: {
    title: 'The ledger does not answer',
    status: 503,
    detail: 'Postgres is not there',
    code: 'ledger_unavailable',
    request_id: 'req-of-the-outage',
  },
} as const;

describe.skipIf(isPassedOverWithout('chromium'))('the pages of the console, with every answer planned', () => {
  let server: PagesServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startPagesServer(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  beforeEach(() => {
    server.signedIn(OPERATOR);
    server.live(true);
    server.posted.length = 0;
  });

  /** At a place in the console, read to its end; whatever it should not have done fails the test. */
  async function at(path: string, looks: Looks = {}): Promise<Page> {
    const { page, noted, close } = await openPage(browser, { now: NOW, ...looks });
    onTestFinished(async () => {
      await close();
      expect(noted).toEqual([]);
    });
    await page.goto(`${server.url}/console${path}`);
    await page.locator('h1').waitFor();
    return page;
  }
  const read = (page: Page) => page.locator('.loading').first().waitFor({ state: 'detached' });
  const answer = (path: string, planned: Parameters<PagesServer['answer']>[1]) => {
    server.answer(path, planned);
    onTestFinished(() => server.answer(path, undefined));
  };

  it.each(Object.entries(ALL_PAGES))(
    '%s: axe finds nothing, light or dark, and it fits a phone',
    async (_name, path) => {
      const page = await at(path);
      await read(page);
      expect.soft(await axeViolations(page), 'light').toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect.soft(await axeViolations(page), 'dark').toEqual([]);
      for (const width of [1180, 768, 390, 320]) {
        await page.setViewportSize({ width, height: 800 });
        await expect
          .poll(() => page.evaluate<number>('document.documentElement.scrollWidth'), { message: `${width}` })
          .toBeLessThanOrEqual(width);
      }
      expect.soft(await axeViolations(page), 'on a phone').toEqual([]);
    },
  );

  it.each(['light', 'dark'] as const)(
    'axe finds nothing in the page to sign in, the keys, a decision, a bulk decision and an error, %s',
    async (scheme) => {
      server.signedIn(undefined);
      const signIn = await at('/', { scheme });
      expect.soft(await axeViolations(signIn)).toEqual([]);
      server.signedIn(OPERATOR);
      const item = await at(ALL_PAGES['stuck-reversal'] ?? '', { scheme });
      await item.getByRole('radio', { name: /write off/ }).check();
      expect.soft(await axeViolations(item)).toEqual([]);
      await item.getByRole('main').press('?');
      await item.getByRole('dialog').waitFor();
      expect.soft(await axeViolations(item)).toEqual([]);
      const bulk = await at(ALL_PAGES['decide-many'] ?? '', { scheme });
      await bulk.getByRole('button', { name: 'Preview' }).click();
      await bulk.getByText('What would be decided').waitFor();
      expect.soft(await axeViolations(bulk)).toEqual([]);
      answer('/api/v1/reversals', ILL);
      server.live(false);
      const ill = await at('/reversals', { scheme });
      await ill.getByRole('alert').waitFor();
      expect.soft(await axeViolations(ill)).toEqual([]);
    },
  );

  it('a wrong token is told with what to do; a right one leads to where one wanted to go', async () => {
    server.signedIn(undefined);
    const page = await at('/reversals?status=pending');
    await page.getByLabel('Your token').fill('not-a-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('A valid token is needed');
    expect(await page.getByRole('alert').textContent()).toContain('req-of-the-night');
    await page.getByLabel('Your token').fill('token-of-the-night');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Reversals', level: 1 }).waitFor();
    expect(page.url()).toContain('status=pending');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your token').waitFor();
  });

  it('an order tells its shares in the unit of its amount, and of no provider that was never asked', async () => {
    const page = await at(`/item/order/${IDS.order}`);
    await page.getByText('Buyer: 75.00 EUR').waitFor();
    const where = await page.locator('.panel-where').innerText();
    expect(where).toContain('Buyer: 75.00 EUR, acct_1QmPottery: 22.50 EUR');
    expect(where).not.toContain('minor units');
    expect(await page.getByText('never asked').count()).toBe(0);
    const lines = page.getByRole('region', { name: 'Its lines' });
    expect(await lines.getByRole('row').allInnerTexts()).toEqual([
      expect.stringMatching(/Line.*Whose.*Amount.*Fee of it.*Release/is),
      expect.stringMatching(/Teapot, celadon.*acct_1QmPottery.*50.00.*EUR.*5.00.*EUR.*immediately/s),
      expect.stringMatching(/Rug.*acct_1QmWeaving.*100.00.*EUR.*10.00.*EUR.*immediately/s),
      expect.stringMatching(/The platform keeps now.*7.50.*EUR/s),
    ]);
  });

  it('whatever a notification links to is a page of the console', async () => {
    const linked = ['reversal', 'settlement', 'drift/transfer_unknown'] as const;
    const ids = { reversal: IDS.reversals[1], settlement: IDS.settlement, 'drift/transfer_unknown': 'a-drift' };
    const body = webhookBody(
      {
        id: 'a-message',
        stage: 'first',
        contents: {
          reason: 'retries_exhausted',
          writtenAt: NOW,
          oldestSince: NOW,
          count: linked.length,
          totals: [],
          kinds: [],
          items: linked.map((kind) => ({
            kind,
            id: ids[kind] ?? '',
            orderId: null,
            amount: '1',
            currency: 'EUR',
            decimals: null,
            since: NOW,
          })),
        },
      },
      server.url,
    );
    const { data } = JSON.parse(body) as { data: { items: { console_url: string }[] } };
    const headings: string[] = [];
    for (const { console_url: url } of data.items) {
      const page = await at(url.slice(`${server.url}/console`.length));
      headings.push(await page.locator('h1').innerText());
    }
    expect(headings).toEqual([
      expect.stringMatching(/^Reversal/),
      expect.stringMatching(/^Settlement/),
      expect.stringMatching(/^Drift/),
    ]);
  });

  it('keys alone: search, rows, pages, help, and a switch for whom they are in the way', async () => {
    const page = await at('/reversals');
    await read(page);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    expect(await page.evaluate('document.activeElement.getAttribute("title")')).toBe(IDS.reversals[1]);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Reversal 0195/, level: 1 }).waitFor();
    await page.getByRole('radio').first().waitFor();
    await page.keyboard.press('d');
    expect(await page.evaluate('document.activeElement.getAttribute("type")')).toBe('radio');
    await page.keyboard.press('/');
    await page.keyboard.type('acct_1QmWeaving');
    await page.keyboard.press('Enter');
    await page.getByText('found by its seller').first().waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'Settlements', level: 1 }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.getByRole('switch').press('Space');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('main').press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('filters stand in the address, columns are kept, and the list comes as CSV', async () => {
    const page = await at('/settlements');
    await page.getByLabel('Status', { exact: true }).selectOption('pending');
    await page.getByLabel('Key', { exact: true }).fill('nobody-has-this');
    await page.getByLabel('Key', { exact: true }).press('Enter');
    await page.getByText('No settlement fits these filters').waitFor();
    expect(new URL(page.url()).search).toBe('?status=pending&key=nobody-has-this');
    await page.goBack();
    await page.goto(`${server.url}/console/settlements?status=pending`);
    expect(await page.getByLabel('Status', { exact: true }).inputValue()).toBe('pending');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('checkbox', { name: 'Transaction' }).check();
    await page.keyboard.press('Escape');
    await page.reload();
    await page.getByRole('columnheader', { name: 'Transaction' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('settlements.csv');
  });

  it('amounts are told to the last digit, each with the decimals of its unit', async () => {
    const page = await at('/transfers');
    await read(page);
    const amounts = await page.locator('td[data-head="Amount"]').allInnerTexts();
    expect(amounts.map((text) => text.replaceAll(/\s+/g, ' ').trim())).toEqual([
      '90.00 EUR',
      '45.00 EUR',
      '120,000 JPY',
      '19,999.00 USD',
      '12.500 KWD',
      '0.05 USD',
    ]);
    const settlements = await at('/settlements');
    await settlements.getByText('900,719,925,474.099312').waitFor();
    const points = await page
      .locator('td[data-head="Amount"] .amount-fraction')
      .evaluateAll((all) =>
        all.map((one) =>
          Math.round((one as unknown as { getBoundingClientRect(): { x: number } }).getBoundingClientRect().x),
        ),
      );
    expect(new Set(points).size).toBe(1);
  });

  it('what somebody typed stays text', async () => {
    const page = await at(ALL_PAGES['stuck-reversal'] ?? '');
    await page.getByText('<img src=x onerror=alert(1)> asked the seller').waitFor();
    const search = await at(`/search?q=${encodeURIComponent('"><script>alert(1)</script>')}`);
    await search.getByText('"><script>alert(1)</script>', { exact: true }).waitFor();
    const list = await at(`/settlements?key=${encodeURIComponent('<b onclick=alert(1)>x')}`);
    expect(await list.getByLabel('Key', { exact: true }).inputValue()).toBe('<b onclick=alert(1)>x');
    for (const one of [page, search, list]) expect(await one.locator('main :is(script, img, b)').count()).toBe(0);
  });

  it('a decision shows its effect first, and is sent with what proves that this page sends it', async () => {
    const page = await at(ALL_PAGES['stuck-reversal'] ?? '');
    await page.getByRole('radio', { name: /^adopt/ }).check();
    await page.getByText('It says that a reversal at Stripe is this one').waitFor();
    await page.getByLabel('Stripe reversal id').fill(' trr_1QxFOREIGN ');
    await page.getByLabel('Note').fill('made by hand, see ticket 12');
    await page.getByRole('button', { name: 'Decide: adopt' }).click();
    await page.getByText('Decided: adopt').waitFor();
    expect(server.posted).toEqual([
      {
        path: `/api/v1/reversals/${IDS.reversals[1]}/resolve`,
        body: {
          action: 'adopt',
          note: 'made by hand, see ticket 12',
          seen: { reason: expect.any(String), detail: expect.any(String) },
          evidence: { stripe_reversal_id: 'trr_1QxFOREIGN' },
        },
        csrf: 'csrf-of-the-night',
      },
    ]);
  });

  it('a decision that is refused says why, what to do, and under which request', async () => {
    answer(`/api/v1/reversals/${IDS.reversals[1]}/resolve`, {
      status: 409,
      body: {
        title: 'The item is not waiting for a decision',
        status: 409,
        detail: 'ann was faster',
        code: 'not_waiting',
        request_id: 'req-77',
      },
    });
    const page = await at(ALL_PAGES['stuck-reversal'] ?? '');
    await page.getByRole('radio', { name: /^retry/ }).check();
    await page.getByLabel('Note').fill('again');
    await page.getByRole('button', { name: 'Decide: retry' }).click();
    const told = await page.getByRole('alert').textContent();
    for (const part of ['The item is not waiting', 'Ann was faster', 'Somebody was faster', 'req-77'])
      expect(told).toContain(part);
  });

  it('many are decided at once: exactly those that the preview showed and that were not taken out', async () => {
    const page = await at(ALL_PAGES['decide-many'] ?? '');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('What would be decided').waitFor();
    const boxes = page.getByRole('checkbox');
    expect(await boxes.nth(2).isDisabled()).toBe(true);
    await boxes.nth(1).uncheck();
    await page.getByLabel('Note').fill('Stripe is back');
    await page.getByRole('button', { name: 'Decide: retry 1 reversal' }).click();
    await page.getByText('What became of each').waitFor();
    const [preview, decided] = server.posted.map(({ body }) => body as { dry_run: boolean; ids?: string[] });
    expect(preview).toMatchObject({ kind: 'reversal', reason: 'retries_exhausted', action: 'retry', dry_run: true });
    expect(decided).toMatchObject({ dry_run: false, note: 'Stripe is back', ids: [expect.any(String)] });
  });

  it('a provider is paused and an event replayed, each with a note; who only reads is offered neither', async () => {
    const page = await at('/');
    await page.getByRole('button', { name: 'Pause stripe' }).click();
    await page.getByRole('dialog').getByLabel('Note').fill('their incident');
    await page.getByRole('dialog').getByRole('button', { name: 'Pause stripe' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const events = await at('/webhooks');
    await events.getByRole('button', { name: 'Replay stripe:evt_1QxStuck' }).click();
    await events.getByRole('dialog').getByLabel('Note').fill('was it read?');
    await events.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
    await events.getByRole('dialog').waitFor({ state: 'detached' });
    expect(server.posted.map(({ path }) => path)).toEqual([
      '/api/v1/providers/stripe/pause',
      '/api/v1/webhooks/stripe%3Aevt_1QxStuck/replay',
    ]);
    server.signedIn({ name: 'vera', role: 'viewer' });
    const reading = await at('/');
    await read(reading);
    expect(await reading.getByRole('button', { name: /Pause|Resume/ }).count()).toBe(0);
    const item = await at(ALL_PAGES['stuck-reversal'] ?? '');
    await item.getByText('Somebody else has to decide').waitFor();
  });

  it('nobody confirms what he asked for himself; another approver does', async () => {
    server.signedIn({ name: 'olga', role: 'approver' });
    const own = await at('/approvals');
    await own.getByText('You asked for it yourself').waitFor();
    server.signedIn({ name: 'anna', role: 'approver' });
    const page = await at('/approvals');
    await page.getByLabel('Note').first().fill('checked with finance');
    await page.getByRole('button', { name: 'Confirm: write off' }).click();
    await page.getByText('Confirmed.').waitFor();
    expect(server.posted).toMatchObject([{ path: `/api/v1/decisions/${IDS.decision}/approve` }]);
  });

  it('says when it is empty, when it fails, when it is old and when it is not live', async () => {
    answer('/api/v1/overview', {
      status: 200,
      body: { ...overview, needs_a_person: [], unsettled: [], marketplace: [] },
    });
    const page = await at('/');
    await page.getByText('Nobody has to decide anything', { exact: true }).waitFor();
    await page.getByText('Everything that was promised has moved').waitFor();
    answer('/api/v1/orders', ILL);
    const ill = await at('/orders');
    await expect.poll(() => ill.getByRole('alert').textContent()).toContain('req-of-the-outage');
    expect(await ill.getByRole('alert').textContent()).toContain('makegood doctor');
    server.answer('/api/v1/orders', undefined);
    await ill.getByRole('button', { name: 'Try again' }).click();
    await ill.getByRole('table').waitFor();
    answer('/api/v1/refunds', 'never');
    const slow = await at('/refunds');
    await slow.getByRole('status', { name: 'Reading refunds' }).waitFor();
    server.live(false);
    const old = await at('/payments');
    await old.getByText('Not live.').waitFor();
    server.answer('/api/v1/payments', ILL);
    onTestFinished(() => server.answer('/api/v1/payments', undefined));
    await old.getByRole('button', { name: 'read everything now' }).click();
    await old.getByText('What you see may be old.').waitFor();
    expect(await old.getByRole('table').count()).toBe(1);
  });

  it('is light or dark as the system is, or as one says', async () => {
    const page = await at('/', { scheme: 'dark' });
    const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme');
    expect(await scheme()).toBe('dark');
    await page.getByRole('button', { name: /Change to light/ }).click();
    expect(await scheme()).toBe('light');
    await page.reload();
    await page.locator('h1').waitFor();
    expect(await scheme()).toBe('light');
  });

  it('a moment is had without a pointer, and a chart as numbers', async () => {
    const page = await at('/');
    await read(page);
    const when = page.locator('main time').first();
    await when.focus();
    expect(await when.locator('.when-exactly').innerText()).toBe('2026-03-14 02:40:00 UTC');
    await page.getByText('Backlog in numbers').click();
    await page.getByRole('group', { name: 'Backlog in numbers' }).getByRole('table').waitFor();
  });

  it.each([5, 48])('a chart of %d steps shows the label of each whole, the last one too', async (steps) => {
    const series = { ...overview.series, points: overview.series.points.slice(-steps) };
    answer('/api/v1/overview', { status: 200, body: { ...overview, series } });
    const page = await at('/');
    await page.locator('.chart-picture svg text').first().waitFor();
    const cut = await page.evaluate<string[]>(`[...document.querySelectorAll('.chart-picture svg')].flatMap((svg) => {
      const { left, right } = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')]
        .filter((label) => label.getBoundingClientRect().right > right || label.getBoundingClientRect().left < left)
        .map((label) => label.textContent);
    })`);
    expect(cut).toEqual([]);
    expect(await page.locator('.chart-picture svg text').count()).toBeGreaterThan(5);
  });
});
