import { expect, it } from 'vitest';
import { readDocument, rowsIn } from '../support/documents.js';
import {
  INTEROP_PAGE,
  interopPage,
  interopSources,
  interopTests,
  statementsIn,
  withLine,
} from '../support/interop-table.js';

/** The page of what was tried with parts of others is written from a run; what it says is compared with what would run. */

const sources = interopSources();
const statements = interopTests().flatMap((file) => {
  const source = sources.find(({ path }) => path === file);
  return source === undefined ? [] : statementsIn(source).map((statement) => ({ file, ...statement }));
});
const sections = new Map(
  readDocument(INTEROP_PAGE)
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section]),
);
const rowsOf = (part: string) => rowsIn(sections.get(part) ?? '');

it('holds every test of test/interop, and nothing that none of them tries', () => {
  expect(statements.length).toBeGreaterThan(30);
  const missing = statements.filter(({ part, row }) => !rowsOf(part).some(([what = '']) => row.test(what)));
  expect(missing.map(({ file, title }) => `${file}: ${title}`)).toEqual([]);
  const stale = [...sections.keys()].flatMap((part) =>
    rowsOf(part)
      .filter(([what = '']) => !statements.some((one) => one.part === part && one.row.test(what)))
      .map(([what]) => `${part}: ${what}`),
  );
  expect(stale).toEqual([]);
});

it('says that each of them held, with the versions that are pinned', () => {
  for (const [part, section] of sections) {
    expect(rowsOf(part).filter(([, cameOut]) => cameOut !== 'held')).toEqual([]);
    const files = [...new Set(statements.filter((one) => one.part === part).map(({ file }) => file))];
    expect(section.split('\n')[2]).toBe(withLine(files, sources));
  }
});

it('a page is grouped by the plain describe around a test, else by the name of its file, and a failure is no promise held', () => {
  const source = {
    path: 'test/interop/some-part.test.ts',
    text: `describe('a part', () => it('holds', () => {})); describe.each([1])('number %s', () => it('fails', () => {}));`,
    imports: [{ target: 'mppx/client', own: false, typeOnly: false }],
  };
  const tried = [
    { titles: ['a part', 'with | in it', 'holds'], outcome: 'held' },
    { titles: ['number 1', 'fails'], outcome: 'failed' },
  ] as const;
  const page = interopPage(
    tried.map((one) => ({ file: source.path, ...one })),
    [source],
  );
  expect(page).toContain('## a part\n\nWith mppx ');
  expect(page).toContain('| with \\| in it: holds | held |');
  expect(page).toContain('## some part\n');
  expect(page).toContain('| number 1: fails | failed |');
  expect(statementsIn(source).map(({ part }) => part)).toEqual(['a part', 'some part']);
});

it('knows tests by their titles, those of many cases and of inner describes too', () => {
  const text = `
    describe('a part', () => {
      describe.each(PLACES)('at %s', () => { it.each([1, 2])('holds $name (%i)', () => undefined); });
    });`;
  const [only, ...more] = statementsIn({ path: 'test/interop/x.test.ts', text });
  expect([only?.part, more]).toEqual(['a part', []]);
  expect(['at home: holds it (2)', 'at home: holds it'].map((row) => only?.row.test(row))).toEqual([true, false]);
});
