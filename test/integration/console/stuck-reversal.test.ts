import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itemAddress } from '../../../src/domain/console-addresses.js';
import { axeViolations, launchBrowser } from '../../support/console/browser.js';
import { signedIn, visitor } from '../../support/console/signed-in.js';
import { type MarketplaceStack, startMarketplaceStack } from '../../support/marketplace/stack.js';
import { isPassedOverWithout } from '../../support/programs.js';

const SELLER = 'acct_1Ada';
const SHARE = 3_000;
const SCRIPT = '<img src=x onerror="document.title=1"> as ticket 12 says';

describe.skipIf(isPassedOverWithout('chromium'))('a stuck reversal, in the console of the running product', () => {
  let stack: MarketplaceStack;
  let browser: Browser;
  beforeAll(async () => {
    [stack, browser] = await Promise.all([
      startMarketplaceStack({ REVERSAL_MAX_RETRIES: '1', APPROVAL_THRESHOLD: '1000' }),
      launchBrowser(),
    ]);
    await stack.hyperswitch('auto', ['PUT', { refund: { to: 'succeeded', afterMs: 0 } }]);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await stack.stop();
  });

  /** Somebody takes the whole share back in Stripe's dashboard; then the buyer is refunded. */
  async function takenBySomebodyElse(): Promise<string> {
    const { id } = await stack.sellPaid({ [SELLER]: SHARE });
    const [transfer] = (await stack.order(id)).transfers;
    await stack.stripe('reverse', ['POST', { transfer: transfer?.stripe_transfer_id ?? '' }]);
    await stack.refund(id);
    return await stuck(id, 'foreign_reversal');
  }

  async function stuck(order: string, reason: string): Promise<string> {
    const { reversals } = await stack.orderUntil(
      `it waits for a person: ${reason}`,
      order,
      ({ reversals: [seen] }) => seen?.attention?.reason === reason,
    );
    return reversals[0]?.id ?? '';
  }

  it('is found, read and decided about; a second person confirms it, and everybody sees it move', async () => {
    const id = await takenBySomebodyElse();
    const olga = await signedIn(browser, stack.at, 'operator');
    const asked = olga.getByRole('row').filter({ hasText: '1 reversal' });
    await asked.getByRole('link', { name: 'foreign reversal' }).first().click();
    await olga.getByRole('heading', { name: 'Reversals', level: 1 }).waitFor();
    expect(olga.url()).toContain('reason=foreign_reversal');
    await olga.locator(`a[title="${id}"]`).first().click();
    await olga.getByText('With the seller: it has not been taken back.').waitFor();
    await olga.getByText('30.00').first().waitFor();
    const story = olga.getByRole('region', { name: 'Its story' });
    await story.getByText(id).first().waitFor();
    await olga.getByRole('region', { name: 'What belongs together' }).getByText('refund').first().waitFor();
    await olga.getByRole('region', { name: 'Ours and the provider’s' }).getByRole('table').waitFor();
    expect(await axeViolations(olga)).toEqual([]);

    await olga.getByRole('radio', { name: /^count as share/ }).check();
    await olga.getByText('nothing more is taken').first().waitFor();
    await olga.getByLabel('Note').fill(SCRIPT);
    await olga.getByRole('button', { name: 'Decide: count as share' }).click();
    await olga.getByText('Recorded: count as share waits for a second person').waitFor();

    const anna = await signedIn(browser, stack.at, 'approver');
    await anna.getByRole('link', { name: /^For a second person/ }).click();
    await anna.getByText(SCRIPT).waitFor();
    expect(await anna.locator('main img').count()).toBe(0);
    expect(await axeViolations(anna)).toEqual([]);
    await anna.getByLabel('Note').fill('checked in the dashboard');
    await anna.getByRole('button', { name: 'Confirm: count as share' }).click();

    // olga's page is not touched: it hears of it
    await olga.getByRole('heading', { level: 1 }).locator('..').getByText('reversed', { exact: true }).waitFor();
    await story.getByText('checked in the dashboard').waitFor();
    expect((await stack.books()).reversals).toHaveLength(1);
    await anna.getByText('No decision waits for a second person').waitFor();
  });

  it('is found, decided about and seen to move by keys alone', async () => {
    const { id: order } = await stack.sellPaid({ [SELLER]: SHARE });
    await stack.stripe('faults', ['PUT', { rules: [{ kinds: ['unavailable'], on: ['reversals.create'] }] }]);
    await stack.refund(order);
    const id = await stuck(order, 'retries_exhausted');
    await stack.stripe('faults', ['DELETE']);

    const page = await visitor(browser, stack.at);
    const { keyboard } = page;
    const tabTo = async (name: RegExp) => {
      for (let pressed = 0; pressed < 60; pressed += 1) {
        await keyboard.press('Tab');
        const here = await page.evaluate<string>(
          `(({ textContent, labels, ariaLabel }) => [ariaLabel, labels?.[0]?.textContent, textContent].join(' '))(document.activeElement)`,
        );
        if (name.test(here)) return;
      }
      throw new Error(`the key Tab never comes to ${name}`);
    };
    await tabTo(/Your token/);
    await keyboard.type(stack.at.tokens.operator);
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await keyboard.press('/');
    await keyboard.type(id);
    await keyboard.press('Enter');
    await page.getByText(/found by its/).waitFor();
    await keyboard.press('j');
    await keyboard.press('Enter');
    await page.getByRole('region', { name: 'What you can do' }).waitFor();
    await keyboard.press('d');
    await keyboard.press('Space');
    await page.getByText('If you decide “retry”').waitFor();
    await tabTo(/^ Note/);
    await keyboard.type('Stripe is back, says its status page');
    await tabTo(/Decide: retry/);
    await keyboard.press('Enter');
    await page.getByText('Decided: retry').waitFor();
    await page.getByRole('heading', { level: 1 }).locator('..').getByText('reversed', { exact: true }).waitFor();
    expect((await stack.order(order)).reversals).toMatchObject([{ id, status: 'reversed' }]);
  });

  it('is read and not decided about by who may only read; whoever signs out is out', async () => {
    const page = await signedIn(browser, stack.at, 'viewer');
    const [reversal] = (await stack.database.query<{ id: string }>('SELECT id FROM reversals LIMIT 1')) as [
      { id: string },
    ];
    await page.goto(`${stack.at.server}${itemAddress('reversal', reversal.id)}`);
    await page.getByRole('heading', { name: /^Reversal/ }).waitFor();
    expect(await page.getByRole('button', { name: /^Decide/ }).count()).toBe(0);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'makegood_session', httpOnly: true, sameSite: 'Strict' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your token').waitFor();
    const replayed = await fetch(`${stack.at.server}/api/v1/overview`, {
      headers: { Cookie: `${cookie?.name}=${cookie?.value}` },
    });
    expect(replayed.status).toBe(401);
  });
});
