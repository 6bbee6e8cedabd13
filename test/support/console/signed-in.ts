import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { StackEndpoints } from '../../../sandbox/stack/stack.js';
import { openPage } from './browser.js';

type At = Pick<StackEndpoints, 'server' | 'tokens'>;

/** A browser of one person, at the page to sign in. */
export async function visitor(browser: Browser, { server }: At): Promise<Page> {
  const { page, noted, close } = await openPage(browser);
  onTestFinished(async () => {
    await close();
    expect(noted).toEqual([]);
  });
  await page.goto(`${server}/console`);
  await page.getByLabel('Your token').waitFor();
  return page;
}

export async function signedIn(
  browser: Browser,
  at: At,
  role: 'viewer' | 'operator' | 'approver' = 'operator',
): Promise<Page> {
  const page = await visitor(browser, at);
  await page.getByLabel('Your token').fill(at.tokens[role]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page;
}
