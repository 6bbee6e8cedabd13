import { describe, expect, it } from 'vitest';
import { actionsOf, DECIDABLE_KINDS } from '../../src/domain/decisions/decisions.js';
import { circlesOf, functionsOf, type SourceFile, sourceFiles } from '../support/source-files.js';

const FILES = sourceFiles('src', 'workflows', 'activities', 'sandbox', 'web');

/** `src/ledger`, `workflows`, …; a file that lies directly in `src` is a room of its own. */
function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'src' ? `src/${second}` : top;
}

/** What is known of activities outside their room: types, plain JSON. */
const CONTRACTS = [
  'contract',
  'backfill-contract',
  'marketplace-contract',
  'notification-contract',
  'reconcile-contract',
  'sweep-contract',
].map((name) => `activities/${name}.ts`);

/**
 * What each room may import from other rooms: values, or types only. A room that is missing here may import nothing.
 * `src/sessions` gets its ledger and providers handed in; `sandbox` stands in for foreign systems and must not share
 * their code with the product, or both would make the same mistake.
 */
const MAY_IMPORT: Readonly<
  Record<string, { readonly values?: readonly string[]; readonly types?: readonly string[] }>
> = {
  'src/domain': {},
  'src/observability': { values: ['src/domain'], types: ['src/ledger/figure-types.ts'] },
  'src/protocols': { values: ['src/domain'] },
  'src/ledger': { values: ['src/domain'] },
  'src/client': { values: ['src/domain'] },
  'src/api-client': {},
  'src/providers': { values: ['src/domain', 'src/protocols'], types: ['src/observability'] },
  'src/sessions': {
    values: ['src/domain', 'src/protocols'],
    types: ['src/ledger/settlements/settlement-types.ts', 'src/ledger/channels/channel-types.ts', 'src/observability'],
  },
  sandbox: {
    values: ['src/domain'],
    types: ['src/protocols', 'src/sessions', 'src/client'],
  },
  'src/calls': { values: ['src/domain', 'src/protocols'], types: ['src/ledger', 'src/providers', 'src/observability'] },
  'src/reading': { values: ['src/domain'], types: ['src/ledger'] },
  workflows: { values: ['src/domain'], types: [...CONTRACTS, 'src/calls/steps.ts'] },
  activities: {
    values: ['src/domain', 'src/calls', 'src/protocols', 'src/providers'],
    types: ['src/ledger', 'src/observability', 'src/config'],
  },
  'src/orchestration': {
    values: ['src/domain', 'workflows/messages.ts', 'workflows/search-attributes.ts'],
    types: [
      'workflows',
      ...CONTRACTS,
      'src/calls/steps.ts',
      'src/calls/reconciliation/comparison.ts',
      'src/observability',
      'src/config',
      'src/ledger',
    ],
  },
  'src/http': {
    values: ['src/domain', 'src/protocols', 'src/orchestration', 'src/reading'],
    types: ['src/ledger', 'src/observability', 'src/config', 'src/sessions', 'src/calls'],
  },
  'src/cli': {
    values: ['src/domain', 'src/ledger', 'src/protocols', 'src/orchestration', 'src/calls', 'src/reading'],
    types: ['src/observability', 'src/config'],
  },
  'src/config': { values: ['src/domain'] },
  web: { values: ['src/domain'] },
};

/** Composition roots import everything and are imported by nothing but each other; index files are what packages export. */
const isRoot = (path: string) => /^src\/(programs\/[a-z-]+|index|node|fastify|client|api)\.ts$/.test(path);

const covers = (allowed: readonly string[] = [], target: string) =>
  allowed.some((place) => target === place || target.startsWith(`${place}/`));

/** The demo reads the tables itself: an auditor who compares two ledgers must not trust the code he audits. */
const KNOWS_SQL = /^(src\/ledger|sandbox\/demo)\//;

/** Libraries that only some rooms may know: a second user would be a second way to do what that room does. */
const LIBRARIES: Readonly<Record<string, RegExp>> = {
  pg: KNOWS_SQL,
  '@temporalio/client': /^src\/orchestration\//,
  '@temporalio/worker': /^src\/programs\//,
  '@temporalio/workflow': /^workflows\//,
  '@temporalio/activity': /^activities\//,
  'mppx/client': /^(src\/client|sandbox)\//,
  stripe: /^src\/providers\/stripe\//,
  nodemailer: /^src\/providers\/notifications\//,
  standardwebhooks: /^src\/providers\/notifications\//,
  '@opentelemetry/api': /^src\/observability\//,
  '@opentelemetry/sdk-node': /^src\/observability\//,
  pino: /^src\/observability\//,
  'prom-client': /^src\/observability\//,
  commander: /^src\/(cli|programs)\//,
  'node:child_process': /^sandbox\/stack\//,
  react: /^web\//,
  '@mantine/core': /^web\//,
  '@tanstack/react-query': /^web\//,
  recharts: /^web\/src\/pages\/Charts\.tsx$/,
};

function offences(find: (file: SourceFile) => readonly string[]): string[] {
  return FILES.flatMap((file) => find(file).map((what) => `${file.path}: ${what}`));
}

describe('rooms', () => {
  it('sees the code it judges', () => {
    expect(FILES.length).toBeGreaterThan(50);
    expect(FILES.flatMap((file) => file.imports).filter((one) => one.typeOnly).length).toBeGreaterThan(50);
  });

  it('import only what their place in the architecture allows', () => {
    expect(
      offences((file) => {
        const room = roomOf(file.path);
        if (isRoot(file.path)) return [];
        const { values, types } = MAY_IMPORT[room] ?? {};
        return file.imports
          .filter((one) => one.own && roomOf(one.target) !== room)
          .filter((one) => !covers(values, one.target) && !(one.typeOnly && covers(types, one.target)))
          .map((one) => `must not import ${one.typeOnly ? 'types' : 'values'} of ${one.target}`);
      }),
    ).toEqual([]);
  });

  it('have no circle of files that import each other, types included', () => {
    expect(circlesOf(FILES)).toEqual([]);
    const [one, other] = ['src/one.ts', 'src/other.ts'].map((path, nth, paths) => ({
      path,
      text: '',
      imports: [{ target: paths[1 - nth]!, own: true, typeOnly: true }],
    }));
    expect(circlesOf([one!, other!])).toEqual([['src/one.ts', 'src/other.ts']]);
  });

  it('leave composition roots to the programs that start them', () => {
    expect(
      offences((file) =>
        isRoot(file.path)
          ? []
          : file.imports.filter((one) => one.own && isRoot(one.target)).map((one) => `imports ${one.target}`),
      ),
    ).toEqual([]);
  });

  it('keep each library in the room that owns it', () => {
    expect(
      offences((file) =>
        file.imports
          .filter((one) => LIBRARIES[one.target] && !one.typeOnly)
          .filter((one) => !LIBRARIES[one.target]?.test(file.path))
          .map((one) => `must not know ${one.target}`),
      ),
    ).toEqual([]);
  });

  it('leave each web framework to its adapter, types too', () => {
    const adapters: Readonly<Record<string, RegExp>> = {
      express: /^src\/sessions\/(index|frameworks\/express)\.ts$/,
      fastify: /^src\/sessions\/frameworks\/fastify\.ts$/,
    };
    expect(
      offences((file) =>
        file.imports
          .map(({ target }) => target)
          .filter((target) => file.path.startsWith('src/sessions/') && adapters[target]?.test(file.path) === false),
      ),
    ).toEqual([]);
  });

  it('give workflows nothing but Temporal, types and the pure domain', () => {
    const foreign = FILES.filter((file) => file.path.startsWith('workflows/')).flatMap((file) =>
      file.imports.filter((one) => !one.own && !one.typeOnly && !/^@temporalio\/(workflow|common)$/.test(one.target)),
    );
    expect(foreign).toEqual([]);
  });
});

describe('source files', () => {
  it('read the environment only in the schema of settings and in composition roots', () => {
    const allowed = /^src\/(config\/config|programs\/main-[a-z-]+)\.ts$/;
    expect(
      offences((file) => (allowed.test(file.path) || !file.text.includes('process.env') ? [] : ['process.env'])),
    ).toEqual([]);
  });

  it('write SQL only in the ledger', () => {
    const sql =
      /\b(SELECT\s+[\w*(]|INSERT\s+INTO\s+\w|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\s+\w|CREATE\s+(TABLE|INDEX|FUNCTION)\b)/;
    expect(offences((file) => (KNOWS_SQL.test(file.path) ? [] : (sql.exec(file.text) ?? []).slice(0, 1)))).toEqual([]);
  });

  it('stay small enough to be read as one thought', () => {
    expect(
      offences((file) => {
        const lines = file.text.split('\n').length;
        // Written by `npm run api-types`, and read by nobody.
        if (file.path === 'src/api-client/paths.ts') return [];
        return lines > 350 ? [`${lines} lines: look for the seam`] : [];
      }),
    ).toEqual([]);
  });

  it('have no function longer than a hundred lines', () => {
    const functions = FILES.flatMap(functionsOf);
    expect(functions.length).toBeGreaterThan(1_000);
    expect(functions.filter(({ lines }) => lines > 100)).toEqual([]);
    const text = `const outer = () => {\n${'// a line\n'.repeat(99)}};`;
    expect(functionsOf({ path: 'long.ts', text })).toEqual([{ at: 'long.ts:1', lines: 101 }]);
  });

  it('leave the list of actions to the catalogue of decisions', () => {
    const action = `'(?:${DECIDABLE_KINDS.flatMap((kind) => actionsOf(kind)).join('|')})'`;
    const secondList = new RegExp(`${action}\\s*[,|]\\s*${action}`);
    const CATALOGUE = 'src/domain/decisions/decisions.ts';
    expect(offences(({ path, text }) => (path === CATALOGUE ? [] : (secondList.exec(text) ?? []).slice(0, 1)))).toEqual(
      [],
    );
    expect(secondList.test(`const MINE = ['adopt',\n  'write_off'];`)).toBe(true);
  });

  it('export by name, so that one thing has one name everywhere', () => {
    expect(offences((file) => (/^export default\b/m.test(file.text) ? ['export default'] : []))).toEqual([]);
  });
});
