import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';

/** Rows of the table "keyword → folder": the last cell names one or more places in backquotes. */
function placesNamedIn(readme: string): string[] {
  const rows = readme.split('\n').filter((line) => /^\|.*\|\s*$/.test(line) && !/^\|[\s:|-]+\|$/.test(line));
  return rows
    .map((row) => row.split('|').at(-2) ?? '')
    .flatMap((cell) => [...cell.matchAll(/`([\w.-]+(?:\/[\w.*-]*)*)`/g)].map((match) => match[1] ?? ''))
    .filter((place) => /^(workflows|activities|sandbox|src|test|docs|scripts|bin|web|bench|\.ci)(\/|$)/.test(place));
}

const README = join(projectRoot(), 'README.md');

it('finds the folders that a table names', () => {
  expect(
    placesNamedIn('| keyword | folder |\n| --- | --- |\n| retry | `workflows/policies.ts`, `src/domain` |\n'),
  ).toEqual(['workflows/policies.ts', 'src/domain']);
});

it('every folder that the README sends a reader to exists', () => {
  const places = placesNamedIn(readFileSync(README, 'utf8'));
  expect(places.length).toBeGreaterThan(5);
  expect(places.filter((place) => !existsSync(join(projectRoot(), place)))).toEqual([]);
});
