import { describe, expect, it } from 'vitest';
import type { CliContext } from '../../src/cli/context.js';
import { createProgram } from '../../src/cli/program.js';
import { CONFIG_VARIABLES } from '../../src/config/config.js';
import { ATTENTION_REASONS, type AttentionReason } from '../../src/domain/decisions/attention.js';
import {
  actionsFor,
  actionsOf,
  DECIDABLE_KINDS,
  type DecidableKind,
  isDecidable,
  ruleOf,
} from '../../src/domain/decisions/decisions.js';
import { OPERATIONS } from '../../src/http/operations.js';
import { codeIn, pagesIn, readDocument, rowsIn } from '../support/documents.js';
import { sourceFiles } from '../support/source-files.js';

/** What a person in trouble types by a runbook is there, and means what the runbook says. */

const RUNBOOKS = pagesIn('docs/runbooks');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/api-client.md',
  'docs/client.md',
  'docs/paid-routes.md',
  'docs/sandbox.md',
  'docs/architecture.md',
  'docs/proof.md',
  'docs/notifications.md',
  ...RUNBOOKS,
];
const codeOf = (page: string): string[] => codeIn(readDocument(page));
const ID = '0197d7a4-6f00-7000-8000-000000000001';

/** A command of ours as a shell would split it. */
interface Typed {
  readonly line: string;
  readonly command: string;
  readonly words: readonly string[];
}

/** Commands of ours with what is given to them; a bare name is only spoken of. */
function typedIn(page: string): Typed[] {
  return codeOf(page).flatMap((line) => {
    const [, command = '', rest = ''] =
      /(?:^|\s)(?:node bin\/makegood\.js|makegood) ([a-z][a-z-]*)(.*)$/.exec(line) ?? [];
    const given = rest.split(/\s[#|;&>]/)[0] ?? '';
    const words = given.match(/'[^']*'|"[^"]*"|\S+/g)?.map((word) => word.replace(/^(['"])(.*)\1$/, '$2')) ?? [];
    return command === '' || words.length === 0 || line.startsWith('makegood ready') ? [] : [{ line, command, words }];
  });
}

/** @returns why the command would not even begin, or undefined */
async function refusalOf({ command, words }: Typed): Promise<string | undefined> {
  const program = createProgram({ sandboxDefaults: {} } as CliContext, '0');
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    each.action(() => undefined);
  }
  const typed = words.map((word) => (/^<\w+>$/.test(word) ? ID : word));
  return await program.parseAsync(['node', 'makegood', command, ...typed]).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

const resolutionsIn = (page: string) =>
  typedIn(page)
    .filter(({ command }) => command === 'resolve')
    .map(({ line, words: [item = '', ...words] }) => {
      const action = words[0] === '--action' ? words[1] : words[0];
      return { line, kind: /^<(\w+)>$/.exec(item)?.[1] ?? '', action: action ?? '' };
    });
const messagesIn = (page: string) =>
  codeOf(page).flatMap((line) => {
    const [, kind] = /\/api\/v1\/(\w+)s\/<\w+>\/resolve/.exec(line) ?? /--workflow-id (\w+)\/<\w+>/.exec(line) ?? [];
    const [, action] = /"action":\s*"(\w+)"/.exec(line) ?? [];
    return kind === undefined || action === undefined ? [] : [{ line, kind, action }];
  });

const canBe = (kind: string, action: string): boolean =>
  isDecidable(kind) ? ruleOf(kind, action) !== undefined : DECIDABLE_KINDS.some((one) => ruleOf(one, action));

describe('a command in a document', () => {
  it('begins as it is written: command, arguments and options exist, and none is missing', async () => {
    const typed = PAGES.flatMap(typedIn);
    expect(typed.length).toBeGreaterThan(50);
    const refused = await Promise.all(typed.map(async (one) => ({ line: one.line, why: await refusalOf(one) })));
    expect(refused.filter(({ why }) => why !== undefined)).toEqual([]);
  });

  it('that decides says what may be decided of that kind, as do the messages and the bodies beside it', () => {
    const said = PAGES.flatMap((page) => [...resolutionsIn(page), ...messagesIn(page)]);
    expect(said.length).toBeGreaterThan(25);
    expect(said.filter(({ kind, action }) => !canBe(kind, action))).toEqual([]);
  });

  it('is refused where it is wrong', async () => {
    const typed = (command: string, ...words: string[]): Typed => ({ line: '', command, words });
    expect(await refusalOf(typed('resolve', '<id>', 'retry'))).toContain('--note');
    expect(await refusalOf(typed('list', 'reversal'))).toContain('reversal');
    expect(await refusalOf(typed('show', '<id>', '--full'))).toContain('--full');
    expect([canBe('refund', 'adopt'), canBe('', 'adopt'), canBe('', 'approve')]).toEqual([false, true, false]);
  });
});

/** Of which kinds the items are that a table of reasons speaks of. */
const TABLES: readonly (readonly [page: string, section: string, kinds: readonly DecidableKind[]])[] = [
  ['needs-attention', '## Settlements', ['settlement']],
  ['needs-attention', '## Payments, refunds', ['payment', 'refund', 'transfer', 'reversal']],
  ['payment-needs-attention', '# When', ['payment']],
  ['reversal-permanently-failed', '# When', ['reversal']],
];
const NAMES = new Set(DECIDABLE_KINDS.flatMap((kind) => actionsOf(kind) as readonly string[]));

describe('the runbooks', () => {
  const advice = TABLES.flatMap(([page, section, kinds]) => {
    const [, text = ''] = readDocument(`docs/runbooks/${page}.md`).split(section);
    const rows = rowsIn(text.split('\n## ')[0] ?? '').map((cells) => ({
      page,
      reasons: codeIn(cells[0] ?? '').filter((word) => (ATTENTION_REASONS as readonly string[]).includes(word)),
      actions: codeIn(cells.slice(1).join(' ')).filter((word) => NAMES.has(word)),
    }));
    return rows.filter(({ reasons }) => reasons.length > 0).map((row) => ({ ...row, kinds }));
  });

  it('advise on every reason, by what may be decided of an item that waits for it', () => {
    expect(new Set(advice.flatMap(({ reasons }) => reasons))).toEqual(new Set(ATTENTION_REASONS));
    const wrong = advice.flatMap(({ page, reasons, actions, kinds }) =>
      reasons.flatMap((reason) => {
        const may = new Set(kinds.flatMap((kind) => actionsFor(kind, reason as AttentionReason)));
        return actions.filter((action) => !may.has(action)).map((action) => `${page}: ${action} of ${reason}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('say when to take each action that there is', () => {
    const said = new Set(RUNBOOKS.flatMap(codeOf).flatMap((line) => line.match(/\w+/g) ?? []));
    expect([...NAMES].filter((action) => !said.has(action))).toEqual([]);
  });
});

describe('a name in a document', () => {
  const namesIn = (pattern: RegExp, text: (page: string) => string = readDocument): string[] => [
    ...new Set(PAGES.flatMap((page) => text(page).match(pattern) ?? [])),
  ];

  it('of a setting is read by something', () => {
    const code = sourceFiles('src', 'test')
      .map(({ text }) => text)
      .join('\n');
    const others = codeOf('docs/sandbox.md').flatMap((word) => word.match(/\b(?:HE|IR|CE)_\d\d\b/g) ?? []);
    const known = new Set([...CONFIG_VARIABLES.map(({ name }) => name), ...others, 'STARTS_WITH']);
    const named = namesIn(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g, (page) => codeOf(page).join('\n'));
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((name) => !known.has(name) && !code.includes(`process.env.${name}`))).toEqual([]);
  });

  it('of a metric or an alert is one of ours', () => {
    const metrics = sourceFiles('src/observability')
      .map(({ text }) => text)
      .join('\n');
    const isMetric = (name: string) =>
      [name, name.replace(/_(count|sum|bucket)$/, '')].some((one) => metrics.includes(`'${one}'`));
    const named = namesIn(/\b(?:makegood_[a-z_]+|settle_[a-z_]+_total)\b/g);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !isMetric(name))).toEqual([]);
    const rules = readDocument('docs/operations/makegood.rules.yml');
    const alerts = namesIn(/\bMakegood[A-Z]\w+/g);
    expect(alerts.length).toBeGreaterThan(15);
    expect(alerts.filter((name) => !rules.includes(`alert: ${name}\n`))).toEqual([]);
  });

  it('of a route of the API is one that it answers', () => {
    const paths = new Set(OPERATIONS.map(({ path }) => path.replaceAll(/\{\w+\}/g, '{id}')));
    const named = namesIn(/\/(?:api\/v1|webhooks)\/[a-z][a-z/<>{}-]*/g, (page) =>
      page === 'docs/sandbox.md' ? '' : codeOf(page).join('\n'),
    ).map((path) => path.replaceAll(/<\w+>|\{\w+\}/g, '{id}'));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((path) => !paths.has(path))).toEqual([]);
  });
});
