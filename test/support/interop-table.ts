import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { PROGRAMS } from './programs.js';
import { type SourceFile, sourceFiles } from './source-files.js';

/** The page that `npm run interop-table` writes from what test/interop found. */
export const INTEROP_PAGE = 'docs/interop.md';
export const INTEROP_FOLDER = 'test/interop';

export interface Tried {
  /** From the project's root. */
  readonly file: string;
  /** Titles from the outermost `describe` to the test. */
  readonly titles: readonly string[];
  readonly outcome: 'held' | 'failed' | 'not tried';
}

interface Part {
  readonly name: string;
  readonly files: ReadonlySet<string>;
  readonly rows: readonly (readonly [what: string, cameOut: string])[];
}

const HEAD = `# With parts of other people

What was tried with packages and programs as other people publish them, and what came out. Money is looked up in the ledger and at the
auth server, not believed from a status. Written by \`npm run interop-table\` from the tests in \`${INTEROP_FOLDER}\`, and never by hand.
`;

/** A test's part is the outermost `describe` around it, where that has a plain title, else the name of its file. */
function placeOf(file: string, titles: readonly string[], parts: ReadonlySet<string>) {
  const [first = '', ...rest] = titles;
  return rest.length > 0 && parts.has(first)
    ? { part: first, what: rest.join(': ') }
    : { part: basename(file, '.test.ts').replaceAll('-', ' '), what: titles.join(': ') };
}

export function interopPage(tried: readonly Tried[], sources = interopSources()): string {
  const parts = new Map<string, Part>();
  const plain = new Map(sources.map((source) => [source.path, plainParts(callsIn(source))]));
  for (const { file, titles, outcome } of tried) {
    const { part: name, what } = placeOf(file, titles, plain.get(file) ?? new Set());
    const { files, rows } = parts.get(name) ?? { files: new Set(), rows: [] };
    parts.set(name, { name, files: new Set([...files, file]), rows: [...rows, [what, outcome]] });
  }
  const sections = [...parts.values()]
    .sort((one, other) => one.name.localeCompare(other.name, 'en'))
    .map(({ name, files, rows }) =>
      [
        `## ${name}`,
        '',
        withLine([...files], sources),
        '',
        '| what was tried | came out |',
        '| --- | --- |',
        ...rows.map(([what, cameOut]) => `| ${cell(what)} | ${cameOut} |`),
        '',
      ].join('\n'),
    );
  return [HEAD, ...sections].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll(/\s+/g, ' ');

/** The packages that these files and what they share load, at the versions that are pinned, and the programs they need. */
export function withLine(files: readonly string[], sources = interopSources()): string {
  const packages = new Set(files.flatMap((file) => [...loadedBy(file, sources)]));
  const pinned = { ...pinnedIn('.'), ...pinnedIn(INTEROP_FOLDER) };
  const versions = [...packages].sort().flatMap((name) => {
    const version = pinned[name];
    if (version === undefined || name === 'vitest' || name === 'viem') return [];
    // Another version of a package is installed under a name of ours.
    return version.startsWith('npm:') ? version.slice('npm:'.length).replace(/@([^@]+)$/, ' $1') : `${name} ${version}`;
  });
  const programs = Object.entries(PROGRAMS).filter(([, { askedBy }]) =>
    askedBy.some((file: string) => files.includes(file)),
  );
  return `With ${[...versions, ...programs.map(([name]) => `${name} of this machine`)].join(', ') || 'nothing but Node'}.`;
}

function loadedBy(file: string, sources: readonly SourceFile[], seen = new Set<string>()): Set<string> {
  seen.add(file);
  const imports = sources.find(({ path }) => path === file)?.imports.filter(({ typeOnly }) => !typeOnly) ?? [];
  const shared = imports.filter(({ own, target }) => own && target.startsWith(INTEROP_FOLDER) && !seen.has(target));
  const names = imports.filter(({ own }) => !own).map(({ target }) => packageOf(target));
  return new Set([...names, ...shared.flatMap(({ target }) => [...loadedBy(target, sources, seen)])]);
}

const packageOf = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

function pinnedIn(folder: string): Record<string, string> {
  const text = readFileSync(join(projectRoot(), folder, 'package.json'), 'utf8');
  const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
  return { ...dependencies, ...devDependencies };
}

export const interopSources = (): readonly SourceFile[] => sourceFiles(INTEROP_FOLDER);

/** Files whose tests the page holds. */
export const interopTests = (): string[] =>
  readdirSync(join(projectRoot(), INTEROP_FOLDER))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${INTEROP_FOLDER}/${name}`);

/** One `it` as it stands in its file. */
export interface Statement {
  readonly part: string;
  /** Matches what a row says of it. */
  readonly row: RegExp;
  readonly title: string;
}

type Node = Record<string, unknown> & { readonly type: string; readonly start: number; readonly end: number };

interface Call {
  readonly kind: string;
  readonly title: string;
  readonly start: number;
  readonly end: number;
}

function callsIn({ path, text }: Pick<SourceFile, 'path' | 'text'>): Call[] {
  const calls: Call[] = [];
  new Visitor({
    CallExpression(call) {
      const { callee, arguments: given, start, end } = call as unknown as Node & { callee: Node; arguments: Node[] };
      const kind = rootOf(callee);
      // `it.each(cases)` is a call too; the one that gives its result a title is meant.
      if (given.length < 2 || !['it', 'test', 'describe'].includes(kind)) return;
      calls.push({ kind, title: textOf(given[0]), start, end });
    },
  }).visit(parseSync(path, text).program);
  return calls;
}

const around = (calls: readonly Call[], at: Pick<Call, 'start'>) =>
  calls.filter(({ kind, start, end }) => kind === 'describe' && start < at.start && at.start < end);
const plainParts = (calls: readonly Call[]): ReadonlySet<string> =>
  new Set(
    calls
      .filter((call) => call.kind === 'describe' && around(calls, call).length === 0 && !PLACEHOLDER.test(call.title))
      .map(({ title }) => title),
  );

/** What a file would run; a title that is made while it runs may be any. */
export function statementsIn(source: Pick<SourceFile, 'path' | 'text'>): Statement[] {
  const calls = callsIn(source);
  const parts = plainParts(calls);
  return calls
    .filter(({ kind }) => kind !== 'describe')
    .map((call) => {
      const titles = [...around(calls, call), call].map(({ title }) => title);
      const { part, what } = placeOf(source.path, titles, parts);
      return { part, title: call.title, row: new RegExp(`^${patternOf(cell(what))}$`) };
    });
}

function rootOf(node: Node): string {
  if (node.type === 'Identifier') return String(node['name']);
  const inner = node['callee'] ?? node['object'] ?? node['tag'];
  return inner === undefined ? '' : rootOf(inner as Node);
}

function textOf(node: Node | undefined): string {
  if (node?.type === 'Literal') return String(node['value']);
  if (node?.type !== 'TemplateLiteral') return '%s';
  return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('%s');
}

/** What vitest puts in: `%s`, `$name`. */
const PLACEHOLDER = /%[sdifjoO#$]|\$[\w.]+/;

const patternOf = (title: string): string =>
  title
    .split(new RegExp(PLACEHOLDER, 'g'))
    .map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.+');
