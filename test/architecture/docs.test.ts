import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { ATTENTION_REASONS } from '../../src/domain/decisions/attention.js';
import { pagesIn, readDocument as read } from '../support/documents.js';
import { sourcePaths } from '../support/source-files.js';

const ROOT = projectRoot();
const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...pagesIn('docs')];

/** As GitHub names them. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

describe('the documents', () => {
  it.each(PAGES)('%s links only to what is there', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const missing = links
      .filter((link) => !link.startsWith('http'))
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(ROOT, file))) return true;
        return anchor !== undefined && !anchorsOf(read(file)).includes(anchor);
      });
    expect(missing).toEqual([]);
  });

  it('say what to do for every reason that an item can wait for', () => {
    const text = read('docs/runbooks/needs-attention.md');
    expect(ATTENTION_REASONS.filter((reason) => !text.includes(`\`${reason}\``))).toEqual([]);
  });

  it.each(['src', 'activities', 'workflows', 'sandbox', 'test'])('are all that comments in %s cite', (folder) => {
    const files = sourcePaths(folder);
    expect(files.length).toBeGreaterThan(5);
    const cited = files.flatMap((name) => [...read(name).matchAll(/(?<![\w./-])[\w/-]+\.md\b/g)].map(([page]) => page));
    expect([...new Set(cited)].filter((page) => !existsSync(join(ROOT, page)))).toEqual([]);
  });

  it.each(['settlement', 'reversal'])(
    'walk one %s in at most fifteen steps, through files that are there',
    (subject) => {
      const [, walk = ''] = read('docs/architecture.md').split(`## One ${subject}, file by file`);
      const steps = (walk.split('\n## ')[0] ?? '').match(/^\d+\. .*$/gm) ?? [];
      expect(steps.length).toBeGreaterThan(9);
      expect(steps.length).toBeLessThanOrEqual(15);
      const files = steps.map((step) => /`([\w/.-]+\.ts)`/.exec(step)?.[1] ?? step);
      expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    },
  );

  it('name, for each invariant, tests that are there', () => {
    const rows = read('docs/invariants.md').match(/^\| I\d+ \|.*$/gm) ?? [];
    expect(rows).toHaveLength(11);
    const kept = rows.map((row) => row.match(/\btest\/[\w/-]+\.test\.ts\b/g) ?? []);
    expect(kept.filter((tests) => tests.length === 0)).toEqual([]);
    expect(kept.flat().filter((test) => !existsSync(join(ROOT, test)))).toEqual([]);
  });

  it('lead to every runbook, and each says what it means for the money', () => {
    const index = read('docs/runbooks/README.md');
    const runbooks = pagesIn('docs/runbooks').filter((page) => !page.endsWith('README.md'));
    expect(runbooks.length).toBeGreaterThan(15);
    expect(runbooks.filter((page) => !index.includes(`](${page.split('/').at(-1)})`))).toEqual([]);
    expect(runbooks.filter((page) => !/\*\*What it means for the money\*\*/.test(read(page)))).toEqual([]);
  });
});
