import { afterAll, expect, test } from 'vitest';
import { sampleOf } from '../../support/whole-or-sample.js';
import { LAYERS } from './support/compressions.js';
import { ROUTE_FORMS, walk } from './support/gate-matrix.js';
import { HANDLER_FORMS } from './support/handler-forms.js';

/** `npm run gate-table` prints what this file found. */
const found = new Map<string, string[]>();

const PLACES = ROUTE_FORMS.flatMap((route) =>
  LAYERS.flatMap((layers) =>
    [false, true].map(
      (http2) =>
        [`${route.name} route, compression ${layers.name}, HTTP/${http2 ? 2 : 1.1}`, { route, layers, http2 }] as const,
    ),
  ),
);

/** Without a compression each route stands alone; beside one, routes and places are alike. */
const TRIED = sampleOf('the paid gate', PLACES, {
  nameOf: ([name]) => name,
  kindOf: ([, { route }]) => route.name,
  always: ([, { layers }]) => layers.name === 'none',
  oneIn: 4,
});

test.concurrent.each(TRIED)(
  '%s: every handler is served as if it were not sold, billed as the rules say, and never unbilled when the ledger is lost',
  async (name, place) => {
    const wrong = await walk(place);
    for (const [form, reasons] of wrong) found.set(`${form}|${name}`, reasons);
    expect(Object.fromEntries([...wrong].filter(([, reasons]) => reasons.length > 0))).toEqual({});
    expect(wrong.size).toBe(HANDLER_FORMS.length);
  },
  180_000,
);

afterAll(() => {
  if (process.env.MAKEGOOD_GATE_TABLE !== '1') return;
  const columns = ROUTE_FORMS.map((route) => route.name);
  const lines = HANDLER_FORMS.map((form) => {
    const cells = ROUTE_FORMS.map((route) => {
      const at = [...found].filter(([key]) => key.startsWith(`${form.name}|${route.name} route`));
      const bad = at.filter(([, reasons]) => reasons.length > 0).length;
      return (bad === 0 ? `${at.length} ok` : `${bad} of ${at.length} WRONG`).padEnd(16);
    });
    return `${form.name.padEnd(30)}${cells.join('')}`;
  });
  const head = `${'handler'.padEnd(30)}${columns.map((column) => column.padEnd(16)).join('')}`;
  console.log(
    [
      `each cell: compression 1.7 and 1.8 before, after and absent, HTTP/1.1 and HTTP/2; in each the ledger there, lost at open, at charge, at close`,
      head,
      ...lines,
    ].join('\n'),
  );
});
