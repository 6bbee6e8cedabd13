import { z } from 'zod';

/** A page of a list as a table, for a spreadsheet: one line for each item, after one with the names of the columns. */
export interface Table {
  /** `spent.amount` of `{spent: {amount}}`. */
  readonly columns: readonly string[];
}

/** From the schema of the list, so that an empty page has the same columns. @param list as answered: `{items, next_cursor}` */
export function tableOf(list: z.ZodType): Table {
  const schema = z.toJSONSchema(list, { io: 'output', unrepresentable: 'any' }) as Node;
  const item = schema.properties?.items?.items;
  if (!item) throw new Error('a list without items');
  return { columns: columnsOf(item, schema.$defs ?? {}, '') };
}

interface Node {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Node>>;
  readonly anyOf?: readonly Node[];
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

function columnsOf(node: Node, defs: Readonly<Record<string, Node>>, name: string): readonly string[] {
  const known = node.$ref === undefined ? node : defs[node.$ref.replace('#/$defs/', '')];
  const some = known?.anyOf?.find(({ type }) => type !== 'null');
  if (some) return columnsOf(some, defs, name);
  if (!known?.properties) return [name];
  return Object.entries(known.properties).flatMap(([member, inner]) =>
    columnsOf(inner, defs, name === '' ? member : `${name}.${member}`),
  );
}

/** RFC 4180. */
export const csvOf = ({ columns }: Table, items: readonly unknown[]): string =>
  [columns, ...items.map((item) => columns.map((column) => cellOf(valueAt(item, column.split('.')))))]
    .map((cells) => `${cells.map(quoted).join(',')}\r\n`)
    .join('');

function valueAt(item: unknown, [member, ...rest]: readonly string[]): unknown {
  if (member === undefined) return item;
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, member)) return undefined;
  return valueAt((item as Readonly<Record<string, unknown>>)[member], rest);
}

/** What a spreadsheet takes for a formula, wherever it came from: it is shown as text. */
const FORMULA = /^[=+\-@\t\r\n\uFF0B\uFF0D\uFF1D\uFF20]/;

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'string') return FORMULA.test(value) ? `'${value}` : value;
  return JSON.stringify(value);
}

const quoted = (cell: string): string => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
