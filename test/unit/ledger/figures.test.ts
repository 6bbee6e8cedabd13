import { expect, it } from 'vitest';
import { DECIDABLE_KINDS } from '../../../src/domain/decisions/decisions.js';
import type { Database } from '../../../src/ledger/database.js';
import { createFigures } from '../../../src/ledger/figures.js';

it('count what waits for a person of every kind about which a person can be asked', async () => {
  const asked: string[] = [];
  const query = (sql: string) => {
    asked.push(sql);
    return Promise.resolve([]);
  };
  await createFigures({ query } as unknown as Database)();
  const waiting = asked.find((sql) => sql.includes('attention_since')) ?? '';
  expect(DECIDABLE_KINDS.filter((kind) => !waiting.includes(`SELECT '${kind}' AS kind`))).toEqual([]);
});
