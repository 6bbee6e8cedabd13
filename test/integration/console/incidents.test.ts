import { mkdirSync, rmSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShopOrder } from '../../../sandbox/demo/shop.js';
import { INCIDENTS } from '../../../sandbox/incidents/incidents.js';
import { type IncidentWorld, incidentSettings, openIncidentWorld, restart } from '../../../sandbox/incidents/world.js';
import { type Stack, startStack } from '../../../sandbox/stack/stack.js';
import type { LedgerView as StripeBooks } from '../../../sandbox/stripe/control/ledger-view.js';
import { temporaryPath, testLog } from '../../support/child-processes.js';
import { launchBrowser } from '../../support/console/browser.js';
import { signedIn } from '../../support/console/signed-in.js';
import { readDocument } from '../../support/documents.js';
import { isPassedOverWithout } from '../../support/programs.js';
import { type RunbookFolder, type RunbookShell, runbookFolder, sectionOf } from '../../support/runbook-shell.js';

/** What `npm run incidents` plants, cured as docs/runbooks/incidents.md says: its commands typed, its clicks made. */

const PATIENT = { timeout: 60_000, interval: 200 };
const directory = temporaryPath('incidents');

type Reversal = ShopOrder['reversals'][number] & { readonly order_id: string; readonly certainty: string };

describe.skipIf(isPassedOverWithout('chromium'))('an incident of the page', () => {
  let stack: Stack;
  let world: IncidentWorld;
  let folder: RunbookFolder;
  let browser: Browser;
  let outside: RunbookShell;

  beforeAll(async () => {
    mkdirSync(directory, { recursive: true });
    const settings = incidentSettings(directory);
    [stack, browser] = await Promise.all([
      startStack({ directory, environment: process.env, settings, log: testLog }),
      launchBrowser(),
    ]);
    world = await openIncidentWorld(stack, process.env);
    folder = runbookFolder(stack.endpoints, { MAKEGOOD_DIRECTORY: directory });
    outside = folder.open('incidents', 'Practise');
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    folder.remove();
    await stack.stop();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  const plant = async (name: string) => {
    const incident = INCIDENTS.find((one) => one.name === name);
    if (!incident) throw new Error(`nobody plants ${name}`);
    return (await incident.plant(world)).names as { readonly id: string; readonly [what: string]: string };
  };

  const reversal = (id: string) => world.read<Reversal>(`reversals/${id}`);
  /** The share of a reversal was taken at Stripe by one reversal, and both books have it. */
  async function expectTakenOnce(id: string): Promise<void> {
    await expect.poll(async () => (await reversal(id)).status, PATIENT).toBe('reversed');
    const { transfer_id: transferId, order_id: orderId, attention, amount, certainty } = await reversal(id);
    expect({ attention, certainty }).toEqual({ attention: null, certainty: 'done' });
    const transfer = (await world.shop.order(orderId)).transfers.find((one) => one.id === transferId);
    const { reversals } = await world.stripe<StripeBooks>('ledger');
    const taken = reversals.filter((one) => one.transfer === transfer?.stripe_transfer_id);
    expect(taken.map((one) => one.amount)).toEqual([amount]);
    expect(transfer).toMatchObject({ status: 'reversed', amount_reversed: amount });
  }

  /** Both ways through one section of the page, with a watch. */
  async function night(section: string) {
    const text = sectionOf(readDocument('docs/runbooks/incidents.md'), section);
    const shell = folder.open('incidents', section);
    const page = await signedIn(browser, stack.endpoints);
    const row = (...words: readonly string[]) =>
      words.reduce((rows, hasText) => rows.filter({ hasText }), page.getByRole('row'));
    const said = (words: string) => expect(text.replaceAll('\n', ' ')).toContain(`*${words}*`);
    return {
      shell,
      page,
      /** What the page says in italics stands on the screen. */
      sees: async (words: string) => {
        said(words);
        await page.getByText(words).first().waitFor();
      },
      /** From the overview, by the row of this kind and status. */
      takes: async (what: string, status: string, id: string) => {
        said(what);
        said(status);
        await row(what, status).getByRole('link', { name: what }).click();
        await takesItem(page, id);
      },
      /** From the overview, by the reason; then decides. */
      decides: async (
        what: string,
        reason: string,
        { id, action }: { readonly id: string; readonly action: string },
      ) => {
        said(reason);
        await page.getByRole('link', { name: 'Overview' }).click();
        await row(what, reason).getByRole('link', { name: reason }).first().click();
        await takesItem(page, id);
        said(action);
        await page.getByRole('radio', { name: new RegExp(`^${action}`) }).check();
        await page.getByLabel('Note').fill('looked at it in the dashboard');
        said(`Decide: ${action}`);
        await page.getByRole('button', { name: `Decide: ${action}` }).click();
        await page.getByText(`Decided: ${action}`).waitFor();
      },
      // A share is looked at again 15 seconds after its retry was due, by the next sweep: up to forty from the incident on.
      becomes: (status: string) =>
        page
          .getByRole('heading', { level: 1 })
          .locator('..')
          .getByText(status, { exact: true })
          .waitFor({ timeout: PATIENT.timeout }),
    };
  }
  const takesItem = (page: Page, id: string) => page.locator(`a[title="${id}"]`).first().click();
  /** How long a way took, for the page that promises a minute. */
  async function timed<T>(what: string, way: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const came = await way();
    console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return came;
  }

  /** What heals by itself does not do so while somebody looks: a test may be slow. */
  async function held(look: () => Promise<void>): Promise<void> {
    stack.child('worker').freeze();
    await look().finally(stack.child('worker').thaw);
  }

  it('lost answer: is read back', async () => {
    const { shell, sees, takes, becomes } = await night('Lost answer');
    const { id } = await plant('lost-answer');
    await held(async () => {
      await timed('lost answer, by commands', async () => {
        expect(await shell.type('makegood list')).toContain(id);
        expect(await shell.type('makegood explain', { id })).toContain('nobody knows: still with the seller');
        expect(await shell.type('makegood show', { id })).toContain('pending (money: unknown)');
      });
      await timed('lost answer, in the console', async () => {
        await takes('Reversals', 'pending', id);
        await sees('What happens next');
        await sees('Nothing has to be decided');
      });
    });
    await timed('lost answer, until it is over', () => becomes('reversed'));
    expect(await shell.type('makegood show', { id })).toMatch(/reversed \(money: done\)[^]*trr_/);
    await expectTakenOnce(id);
    expect(shell.untyped()).toEqual([]);
  }, 180_000);

  it('foreign reversal: stands for the share by the word of a person', async () => {
    const { shell, decides, becomes } = await night('Foreign reversal');
    const first = await plant('foreign-reversal');
    await timed('foreign reversal, by commands', async () => {
      expect(await shell.type('makegood list')).toMatch(new RegExp(`${first.id} .*foreign_reversal`));
      expect(await shell.type('makegood show', first)).toContain('not by us: trr_');
      expect(await shell.type('makegood resolve <id>', first)).toContain('is reversed by decision');
      await shell.type('makegood resolve <transfer>', first);
    });
    await expectTakenOnce(first.id);
    const second = await plant('foreign-reversal');
    await timed('foreign reversal, in the console', async () => {
      await decides('1 reversal', 'foreign reversal', { id: second.id, action: 'count as share' });
      await becomes('reversed');
      await decides('1 transfer', 'foreign reversal', { id: second['transfer'] ?? '', action: 'adopt' });
    });
    await expectTakenOnce(second.id);
    expect(shell.untyped()).toEqual([]);
  }, 180_000);

  it('low balance: goes on when the seller has money', async () => {
    const names = await plant('low-balance');
    const { shell, sees, takes, becomes } = await night('Low balance');
    await timed('low balance, by commands', async () => {
      expect(await shell.type('makegood list')).toContain(names.id);
      expect(await shell.type('makegood explain', names)).toContain("the seller's balance at Stripe is too low");
      expect(JSON.parse(await shell.type('curl', names))).toMatchObject({ available: [{ amount: 0 }] });
    });
    await timed('low balance, in the console', async () => {
      await takes('Reversals', 'waiting balance', names.id);
      await sees('Nothing has to be decided');
    });
    await outside.type('curl -sS -X PUT $STRIPE', names);
    await timed('low balance, until it is over', () => becomes('reversed'));
    await expectTakenOnce(names.id);
    expect(shell.untyped()).toEqual([]);
  }, 180_000);

  it('terminated workflow: is started again by the sweep', async () => {
    const { shell, page, sees, becomes } = await night('Terminated workflow');
    const { id } = await plant('terminated-workflow');
    await held(async () => {
      await timed('terminated workflow, by commands', async () => {
        expect(await shell.type('temporal workflow show', { id })).toContain('WorkflowExecutionTerminated');
        expect(await shell.type('makegood explain', { id })).toContain('what happens next: ');
        await shell.type('temporal schedule trigger');
      });
      await timed('terminated workflow, in the console', async () => {
        await page.keyboard.press('/');
        await page.keyboard.type(id);
        await page.keyboard.press('Enter');
        await page.getByText(/found by its/).waitFor();
        await takesItem(page, id);
        await sees('What happens next');
        await sees('Nothing has to be decided');
        await sees('In Temporal');
      });
    });
    await timed('terminated workflow, until it is over', () => becomes('reversed'));
    expect(await shell.type('makegood show', { id })).toContain('reversed (money: done)');
    await expectTakenOnce(id);
    expect(shell.untyped()).toEqual([]);
  }, 180_000);

  it('poison item: stands aside, and is retried once its cause is gone', async () => {
    const { shell, decides, becomes } = await night('Poison item');
    const [first, second] = await Promise.all([plant('poison-item'), plant('poison-item')]);
    await expectOthersThrough(first, second);
    await outside.type('curl -sS -X DELETE');
    await timed('poison item, by commands', async () => {
      expect(await shell.type('makegood list')).toMatch(new RegExp(`${first.id} .*retries_exhausted`));
      expect(await shell.type('makegood explain', first)).toContain('stripe 503');
      expect(await shell.type('makegood resolve', first)).toContain('is pending by decision');
      await expectTakenOnce(first.id);
      expect(await shell.type('makegood show', first)).toContain('reversed (money: done)');
    });
    await timed('poison item, in the console', async () => {
      await decides('1 reversal', 'retries exhausted', { id: second.id, action: 'retry' });
      await becomes('reversed');
    });
    await expectTakenOnce(second.id);
    expect(shell.untyped()).toEqual([]);
  }, 180_000);
  async function expectOthersThrough(...poison: readonly Readonly<Record<string, string>>[]): Promise<void> {
    for (const { id, order } of poison) {
      const { reversals } = await world.shop.order(order ?? '');
      expect(reversals.filter((one) => one.id !== id)).toMatchObject([{ status: 'reversed' }]);
    }
  }

  it('forged hint: is read at the provider, and nothing moves', async () => {
    const names = await plant('forged-hint');
    const refund = names['refund'] ?? '';
    const { shell, page, sees, becomes } = await night('Forged hint');
    await timed('forged hint, by commands', async () => {
      expect(await shell.type('makegood list')).toContain(refund);
      expect(await shell.type('makegood show', names)).toMatch(/pending \(money: done\)[^]*refund_succeeded +read/);
      const { items } = JSON.parse(await shell.type('curl', names));
      expect(items).toMatchObject([{ type: 'refund_succeeded', outcome: 'read', deliveries: 1 }]);
    });
    await timed('forged hint, in the console', async () => {
      await page.getByRole('link', { name: 'Webhooks' }).click();
      await page.getByRole('row').filter({ hasText: 'refund_succeeded' }).filter({ hasText: 'read' }).first().waitFor();
      await sees('Came of it');
      await page.getByRole('link', { name: /^Refunds/ }).click();
      await takesItem(page, refund);
      await becomes('pending');
      await sees('Nothing has to be decided');
    });
    const read = () => world.read<{ reversals: readonly { id: string }[] }>(`refunds/${refund}`);
    expect((await read()).reversals).toEqual([]);
    await outside.type('curl -sS -X PUT $HYPERSWITCH', names);
    await becomes('succeeded');
    const [share] = (await read()).reversals;
    await expectTakenOnce(share?.id ?? '');
    expect(shell.untyped()).toEqual([]);
  }, 180_000);

  it('dead worker: another one takes over what it had begun', async () => {
    const { id } = await plant('dead-worker');
    const { shell, sees, takes, becomes } = await night('Dead worker');
    await timed('dead worker, by commands', async () => {
      expect(await shell.type('makegood list')).toContain(id);
      expect(await shell.type('temporal task-queue describe')).toContain('LastAccessTime');
      // It fails from 90 seconds after the death on, which a busy machine may have reached.
      const said = await shell.type('makegood doctor').catch(() => shell.typeToFail('makegood doctor'));
      expect(said).toContain('task queue makegood');
    });
    await timed('dead worker, in the console', async () => {
      await sees('Sweeps, inbox and the rest');
      await takes('Charges by atxp', 'pending', id);
    });
    await timed('dead worker, until it is over', async () => {
      await restart(stack);
      await expect
        .poll(async () => (await world.read<{ status: string }>(`settlements/${id}`)).status, PATIENT)
        .toBe('settled');
    });
    await becomes('settled');
    expect(await shell.type('makegood show', { id })).toContain('settled');
    const { debits } = await world.authServer<{ debits: readonly { protocol: string; amount: string }[] }>('ledger');
    expect(debits).toMatchObject([{ protocol: 'atxp', amount: '10000' }]);
    expect(shell.untyped()).toEqual([]);
  }, 180_000);

  it('revoked key: a new one is set, and everything goes on', async () => {
    const names = await plant('revoked-key');
    const { shell, page, sees } = await night('Revoked key');
    await timed('revoked key, by commands', async () => {
      expect(await shell.typeToFail('makegood doctor')).toMatch(/fail +parked +stripe is not called/);
      expect(await shell.typeToFail('STRIPE_SECRET_KEY', names)).toMatch(/ok +providers +stripe: answers/);
      expect(await shell.type('makegood list')).toContain(names.id);
    });
    await timed('revoked key, in the console', () => sees('parked'));
    await timed('revoked key, until it is over', async () => {
      await outside.type('echo', names);
      await restart(stack);
      await expectTakenOnce(names.id);
      await page.reload();
      const stripe = page.getByRole('listitem').filter({ has: page.getByText('stripe', { exact: true }) });
      await stripe.getByText('lets us in').waitFor();
    });
    expect(shell.untyped()).toEqual([]);
  }, 180_000);

  it('is over for everybody: nobody is asked, and the page has no command that was not typed', async () => {
    const { needs_a_person: asked } = await world.read<{ needs_a_person: readonly object[] }>('overview');
    expect(asked).toEqual([]);
    expect(outside.untyped()).toEqual([]);
  });
});
