import { READERS } from './allowed-roles.js';
import type { ProblemCode } from './problem.js';
import { NOTHING } from './route.js';

const LEDGER: readonly ProblemCode[] = ['ledger_unavailable'];
const reading = { method: 'GET', roles: READERS, body: NOTHING } as const;

/** What all operations have in common that read one thing. */
export const READS_ONE = { ...reading, query: NOTHING, problems: LEDGER } as const;

/** And those that read a page of things; each has its own query. */
export const READS_PAGE = { ...reading, csv: true, problems: ['invalid_request', ...LEDGER] } as const;
