import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumProgram } from '../programs.js';

export const launchBrowser = (): Promise<Browser> => chromium.launch({ executablePath: chromiumProgram() });

export interface Looks {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  /** What the page takes for now; it goes on from there. */
  readonly now?: string;
}

/** A page that notes what it should not have done: errors of its own, and what the policy has refused. */
export async function openPage(browser: Browser, { width = 1440, height = 900, scheme = 'light', now }: Looks = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  if (now) await page.clock.install({ time: new Date(now) });
  const noted: string[] = [];
  page.on('pageerror', (error) => noted.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // an answer of 4xx is told by the page itself
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) noted.push(message.text());
  });
  return { page, noted, close: () => context.close() };
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What axe finds on the page as it stands, a line each; WCAG A and AA and its own best practices. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  // the policy of the page allows no script but its own, and this one is the tester's
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as never as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} (${help}): ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  );
}
