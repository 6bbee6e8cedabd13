import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { OPERATIONS } from '../../../src/http/operations.js';
import { ALL_PAGES } from '../../support/console/all-pages.js';
import { IDS } from '../../support/console/night.js';
import { plannedAnswer } from '../../support/console/planned-answers.js';

/** What is planned for an operation, by the schema of its description. */
function schemaOf(path: string, method = 'GET'): z.ZodType {
  const answers = OPERATIONS.find((one) => one.path === path && one.method === method)?.answers ?? {};
  const schema = answers[200]?.schema;
  if (!schema) throw new Error(`${path} answers nothing`);
  return schema;
}
const planned = (path: string, query = '', method = 'GET') =>
  plannedAnswer(method, path, new URLSearchParams(query), { dry_run: true }).body;

const LISTS = [
  'settlements',
  'orders',
  'payments',
  'refunds',
  'transfers',
  'reversals',
  'disputes',
  'channels',
  'webhooks',
  'decisions',
  'drift',
  'reconciliations',
];
const ITEMS = Object.values(ALL_PAGES).flatMap((path) => /^\/item\/(.+)$/.exec(path)?.[1] ?? []);

describe('what the pages of the console are tried with is what the API may answer', () => {
  it.each(LISTS)('%s', (list) => {
    expect(schemaOf(`/api/v1/${list}`).safeParse(planned(`/api/v1/${list}`))).toMatchObject({ success: true });
  });

  it.each(ITEMS)('%s, explained and with its story', (item) => {
    expect(
      schemaOf('/api/v1/explanations/{kind}/{item}').safeParse(planned(`/api/v1/explanations/${item}`)),
    ).toMatchObject({ success: true });
    expect(schemaOf('/api/v1/stories/{kind}/{item}').safeParse(planned(`/api/v1/stories/${item}`))).toMatchObject({
      success: true,
    });
  });

  it('what the provider shows now of what is stuck', () => {
    expect(
      schemaOf('/api/v1/live/{kind}/{item}').safeParse(planned(`/api/v1/live/reversal/${IDS.reversals[1]}`)),
    ).toMatchObject({ success: true });
  });

  it('the overview, what is found, and a bulk decision', () => {
    expect(schemaOf('/api/v1/overview').safeParse(planned('/api/v1/overview'))).toMatchObject({ success: true });
    expect(schemaOf('/api/v1/search').safeParse(planned('/api/v1/search', 'q=acct_1QmWeaving'))).toMatchObject({
      success: true,
    });
    expect(
      schemaOf('/api/v1/decisions/bulk', 'POST').safeParse(planned('/api/v1/decisions/bulk', '', 'POST')),
    ).toMatchObject({ success: true });
  });
});
