import type { Response } from 'express';
import { csvOf, type Table, tableOf } from './reading/csv.js';
import type { Operation, Reply } from './route.js';

/** Answers as the operation and the client want it. */
export function send(res: Response, operation: Operation, { status, body, contentType, headers, stream }: Reply): void {
  // Money's state is never answered from a cache.
  res.status(status).set({ 'Cache-Control': 'no-store', ...headers });
  if (operation.csv) res.vary('Accept');
  if (stream) {
    if (res.req.method === 'HEAD') res.end();
    else stream(res);
  } else if (status === 204) res.end();
  else if (operation.csv && res.req.accepts(['application/json', 'text/csv']) === 'text/csv')
    sendCsv(res, operation, body);
  else if (contentType === undefined) res.json(body);
  else res.setHeader('Content-Type', contentType).send(body);
}

const tables = new WeakMap<Operation, Table>();

function sendCsv(res: Response, operation: Operation, body: unknown): void {
  const { items, next_cursor: next } = body as {
    readonly items: readonly unknown[];
    readonly next_cursor: string | null;
  };
  const list = operation.answers[200]?.schema;
  if (!list) throw new Error(`${operation.id} has no schema of its list`);
  const table = tables.get(operation) ?? tableOf(list);
  tables.set(operation, table);
  if (next !== null) res.setHeader('X-Next-Cursor', next);
  res.setHeader('Content-Type', 'text/csv; charset=utf-8; header=present');
  res.setHeader('Content-Disposition', `attachment; filename="${operation.path.split('/').at(-1)}.csv"`);
  res.send(csvOf(table, items));
}
