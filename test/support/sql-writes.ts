import { parseSync } from 'oxc-parser';

/** One statement that writes columns of a table; `${}` stands for what a program puts in. */
export interface SqlWrite {
  readonly table: string;
  readonly columns: readonly string[];
  /** Of the SQL function it stands in; null: none. */
  readonly within: string | null;
}

const UPDATE = /\bUPDATE\s+(?:ONLY\s+)?([\w.]+|\$\{\})(?:\s+(?:AS\s+)?(?!SET\b)\w+)?\s+SET\s+/gi;
const INSERT = /\bINSERT\s+INTO\s+([\w.]+|\$\{\})(?:\s+(?:AS\s+)?\w+)?\s*\(([^)]*)\)/gi;
const UPSERT = /\bDO\s+UPDATE\s+SET\s+/gi;
const FUNCTION = /\bCREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+([\w.]+)/gi;

/** Every UPDATE, INSERT and upsert in a text of SQL, comments aside. */
export function sqlWrites(text: string): SqlWrite[] {
  const sql = text.replace(/--.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
  const functions = [...sql.matchAll(FUNCTION)];
  const within = (at: number) => functions.filter(({ index }) => index < at).at(-1)?.[1] ?? null;
  const inserts = [...sql.matchAll(INSERT)];
  return [
    ...inserts.map((found) => ({
      table: found[1] ?? '',
      columns: (found[2] ?? '').split(',').map((column) => column.trim().toLowerCase()),
      within: within(found.index),
    })),
    ...[...sql.matchAll(UPDATE)].map((found) => ({
      table: found[1] ?? '',
      columns: assigned(sql.slice(found.index + found[0].length)),
      within: within(found.index),
    })),
    ...[...sql.matchAll(UPSERT)].map((found) => ({
      table: inserts.filter(({ index }) => index < found.index).at(-1)?.[1] ?? '${}',
      columns: assigned(sql.slice(found.index + found[0].length)),
      within: within(found.index),
    })),
  ];
}

/** The columns on the left of a SET clause, which ends where something other than a further assignment begins. */
function assigned(clause: string): string[] {
  const items: string[] = [];
  let [depth, item] = [0, ''];
  for (const token of clause.match(/'(?:[^']|'')*'|\$\{\}|\w+|[\s\S]/g) ?? []) {
    if (depth === 0 && /^(WHERE|FROM|RETURNING|;)$/i.test(token)) break;
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (depth < 0) break;
    if (token === ',' && depth === 0) {
      items.push(item);
      item = '';
    } else item += token;
  }
  return [...items, item].flatMap((text) => {
    const left = (text.split('=')[0] ?? '').trim().toLowerCase();
    return left.startsWith('(')
      ? left
          .slice(1, -1)
          .split(',')
          .map((column) => column.trim())
      : [left];
  });
}

/** Every string and template of a TypeScript source, whole; `${}` stands for what is put in. */
export function stringsOf(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const each of node) visit(each);
    else if (typeof node === 'object' && node !== null) {
      const { type, value, quasis } = node as { type?: string; value?: unknown; quasis?: { value: { raw: string } }[] };
      if (type === 'Literal' && typeof value === 'string') found.push(value);
      if (type === 'TemplateLiteral' && quasis) found.push(quasis.map((quasi) => quasi.value.raw).join('${}'));
      for (const each of Object.values(node)) visit(each);
    }
  };
  visit(parseSync(path, text).program);
  return found;
}
