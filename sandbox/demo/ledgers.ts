import { Client } from 'pg';
import type { CallsView, LedgerView } from '../auth-server/control/control.js';

/** One charge in our ledger; amounts are atomic USDC. */
export interface OurLine {
  readonly id: string;
  readonly protocol: string;
  readonly status: string;
  readonly spent: bigint;
  readonly attempts: number;
  readonly attention: string | null;
  /** Of the exact bytes that were sent: the one thing both ledgers have seen. */
  readonly bodySha256: string;
}

/** Both sides of one charge; a side that does not know of it is undefined. */
export interface Pair {
  readonly ours: OurLine | undefined;
  readonly theirs: LedgerView['debits'][number] | undefined;
}

export interface Ledgers {
  /** Read from Postgres itself, not through the program that is being checked. */
  ours(): Promise<OurLine[]>;
  theirs(): Promise<LedgerView>;
  calls(): Promise<CallsView>;
  close(): Promise<void>;
}

export async function openLedgers(databaseUrl: string, sandboxUrl: string): Promise<Ledgers> {
  const client = new Client({ connectionString: databaseUrl });
  // When the stack is ended under us the connection breaks; whoever asks then gets the error with the answer.
  client.on('error', () => undefined);
  await client.connect();
  const sandbox = async <T>(what: string): Promise<T> => (await fetch(`${sandboxUrl}/_sandbox/${what}`)).json() as T;
  return {
    async ours() {
      const { rows } = await client.query<Omit<OurLine, 'spent'> & { spent: string }>(
        `SELECT id, protocol, status, spent::text, attempts, attention_reason AS attention, body_sha256 AS "bodySha256"
         FROM settlements WHERE status NOT IN ('open', 'released') ORDER BY id`,
      );
      return rows.map((row) => ({ ...row, spent: BigInt(row.spent) }));
    },
    theirs: () => sandbox<LedgerView>('ledger'),
    calls: () => sandbox<CallsView>('calls'),
    close: () => client.end(),
  };
}

/** Lays the ledgers side by side, each line once; what only one of them knows, a second debit too, is a pair with a gap. */
export function pairUp(ours: readonly OurLine[], theirs: Pick<LedgerView, 'debits'>): Pair[] {
  const left = [...theirs.debits];
  const pairs: Pair[] = ours.map((line) => {
    const at = left.findIndex(({ bodySha256 }) => bodySha256 === line.bodySha256);
    return { ours: line, theirs: at < 0 ? undefined : left.splice(at, 1)[0] };
  });
  return [...pairs, ...left.map((debit) => ({ ours: undefined, theirs: debit }))];
}

export const agrees = ({ ours, theirs }: Pair): boolean =>
  ours?.status === 'settled' && theirs !== undefined && ours.spent === BigInt(theirs.amount);

export const sumOf = (lines: readonly { readonly spent: bigint }[]): bigint =>
  lines.reduce((sum, { spent }) => sum + spent, 0n);

/** Millionths of a dollar for people. */
export function usdc(atomic: bigint): string {
  return `${atomic / 1_000_000n}.${(atomic % 1_000_000n).toString().padStart(6, '0')} USDC`;
}
