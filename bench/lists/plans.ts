import type pg from 'pg';
import type { Database } from '../../src/ledger/database.js';

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Remembers what is asked while somebody listens. */
export function listenTo(database: Database): {
  readonly database: Database;
  asked(work: () => Promise<unknown>): Promise<readonly Asked[]>;
} {
  let heard: Asked[] | undefined;
  const hear =
    (query: Database['query']): Database['query'] =>
    (text: string, values: readonly unknown[] = [], name?: string) => {
      heard?.push({ text, values });
      return query(text, values, name);
    };
  return {
    database: {
      ...database,
      query: hear(database.query),
      transaction: (work) => database.transaction((query) => work(hear(query))),
    },
    async asked(work) {
      heard = [];
      try {
        await work();
        return heard;
      } finally {
        heard = undefined;
      }
    },
  };
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Node[];
}

/** Tables with more rows than this are not to be read from end to end. */
const BIG = 2_000;

export interface Plan {
  /** Of the statement and how it is gone about. */
  readonly text: string;
  /** Big tables that it reads from end to end. */
  readonly scanned: readonly string[];
}

/** How Postgres goes about it, with its statistics as they are. */
export async function planOf(client: pg.Client, { text, values }: Asked): Promise<Plan | undefined> {
  if (!/^[\s(]*(?:SELECT|WITH)/i.test(text)) return undefined;
  const lines = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${text}`, [...values]);
  const json = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: Node }[] }>(
    `EXPLAIN (FORMAT JSON) ${text}`,
    [...values],
  );
  const sizes = await client.query<{ relname: string; reltuples: number }>(
    `SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > ${BIG}`,
  );
  const big = new Set(sizes.rows.map(({ relname }) => relname));
  const scanned = (node: Node): string[] => [
    ...(/Seq Scan/.test(node['Node Type']) && big.has(node['Relation Name'] ?? '')
      ? [node['Relation Name'] ?? '']
      : []),
    ...(node.Plans ?? []).flatMap(scanned),
  ];
  const root = json.rows[0]?.['QUERY PLAN'][0]?.Plan;
  const plan = lines.rows.map((row) => withoutValues(row['QUERY PLAN'])).join('\n');
  return { text: `${text.replace(/\s+/g, ' ').trim()}\n${plan}`, scanned: root ? scanned(root) : [] };
}

/** The same for every value, so that a plan that did not change is written as it was. */
const withoutValues = (line: string): string =>
  line.replace(/'(?:[^']|'')*'::(?:text\[\]|uuid\[\]|uuid|"?timestamp with time zone"?|timestamptz)/g, '?');
