import { afterAll, beforeAll, expect, it } from 'vitest';
import { TOKENS } from '../support/api.js';
import { readDocument } from '../support/documents.js';
import { type MarketplaceApi, openMarketplaceApi } from '../support/marketplace/api.js';
import { type PageFolder, pageFolder, snippetsIn } from '../support/page-programs.js';

/** The program of docs/api-client.md, compiled and run as it stands there by an application of its own. */

let folder: PageFolder;
let market: MarketplaceApi;

beforeAll(async () => {
  [folder, market] = await Promise.all([
    pageFolder(snippetsIn(readDocument('docs/api-client.md'))),
    openMarketplaceApi(),
  ]);
});
afterAll(() => Promise.all([folder.dispose(), market.close()]));

const run = (token: string) =>
  folder.run(process.execPath, ['sell-a-vase.js'], {
    PATH: process.env['PATH'],
    PUBLIC_URL: market.api.url,
    MAKEGOOD_TOKEN: token,
  });

it('makes one order however often it runs, and lists it', async () => {
  const [first, again] = [await run(TOKENS.service), await run(TOKENS.service)];
  expect(first).toMatch(/^pending 6000 USD\n[0-9a-f-]{36} pending 0\n$/);
  expect(again).toBe(first);
});

it('tells the code of a problem and its request', async () => {
  await expect(run(TOKENS.viewer)).rejects.toThrow(
    /forbidden: the role viewer may not do this.*\(request [0-9a-f-]+\)/,
  );
});
