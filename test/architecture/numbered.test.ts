import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { knownMigrations } from '../../src/ledger/migrate.js';

/** Two changes that land at the same moment may each take the next free number. */

it('migrations are numbered without gaps, each number once', async () => {
  const numbers = (await knownMigrations()).map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, nth) => nth + 1));
  expect(numbers.length).toBeGreaterThan(10);
});

it('decisions are numbered without gaps, each number once', () => {
  const names = readdirSync(join(projectRoot(), 'docs', 'decisions')).filter((name) => name.endsWith('.md'));
  const numbers = names.map((name) => Number(name.slice(0, 4))).sort((one, other) => one - other);
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, nth) => nth + 1));
});
