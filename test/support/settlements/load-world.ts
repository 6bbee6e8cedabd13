import { createHash, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { AuthServerControl } from '../../../sandbox/auth-server/control/control.js';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import type { Protocol } from '../../../src/domain/settlements/settlement-status.js';
import { createTestDatabase } from '../database.js';
import { environmentFor, SERVICE_TOKEN, startProcess, type TestProcess } from '../processes/start-process.js';
import { until } from '../until.js';
import { sql } from './ledger-comparison.js';

/** Servers and workers as in production, each in a process of its own, on one database and one auth server. */
export interface LoadWorld {
  readonly databaseUrl: string;
  readonly sandbox: AuthServerSandbox;
  readonly servers: readonly TestProcess[];
  readonly workers: readonly TestProcess[];
  /** Hands the charges to the servers in turn, as a trusted service would. @returns ids in the order of the charges */
  submit(given: readonly Charge[]): Promise<SettlementId[]>;
  /** Resolves when nothing is pending any more. */
  drained(limitMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface LoadWorldOptions {
  readonly temporalAddress: string;
  readonly namespace: string;
  /** How many of each; default 1. */
  readonly servers?: number;
  readonly workers?: number;
  /** Settings that differ from those of the crash tests. */
  readonly changes?: Readonly<Record<string, string>>;
}

export async function startLoadWorld(options: LoadWorldOptions): Promise<LoadWorld> {
  const { temporalAddress, namespace } = options;
  const [database, sandbox] = await Promise.all([createTestDatabase(), startAuthServerSandbox()]);
  const env = environmentFor(
    { databaseUrl: database.url, temporalAddress, namespace, authServerUrl: sandbox.url },
    options.changes,
  );
  const many = (kind: 'server' | 'worker', count = 1) =>
    Promise.all(Array.from({ length: count }, () => startProcess(kind, env)));
  const [servers, workers] = await Promise.all([many('server', options.servers), many('worker', options.workers)]);
  return {
    databaseUrl: database.url,
    sandbox,
    servers,
    workers,
    submit: (given) => submit(servers, given),
    async drained(limitMs) {
      await until('nothing is pending', async () => (await pendingIn(database.url)) === 0, { limitMs, everyMs: 250 });
    },
    async stop() {
      for (const child of [...servers, ...workers]) {
        child.kill('SIGKILL');
        await child.exited;
      }
      await sandbox.close();
      await database.drop();
    },
  };
}

async function pendingIn(databaseUrl: string): Promise<number> {
  const [row] = await sql<{ count: string }>(
    databaseUrl,
    `SELECT count(*) FROM settlements WHERE status IN ('open', 'pending')`,
  );
  return Number(row?.count);
}

export interface Charge {
  readonly protocol: Protocol;
  /** Ours and the auth server's name for this payment. */
  readonly key: string;
  /** As the auth server, which verifies the credential, knows the payer. */
  readonly payer: string;
  /** As the ledger knows him, which was handed the credential without its verification. */
  readonly provenPayer: string | null;
  /** Atomic USDC; of one test never the same twice, so that two ledgers that swap amounts are not equal. */
  readonly amount: string;
  readonly request: object;
}

const PAYEE = '0xde30000000000000000000000000000000000402';
const USDC = '0x036cbd53842c5426634e7929541ec2318f3dcf7e';
/** The sandbox of these tests looks at no signature, so nobody spends a second in thousand signatures. */
const SIGNATURE = `0x${'2d6a7588'.repeat(16)}1c`;
const LONG_ENOUGH_S = 3_600;

/** Charges of these protocols in turn, each with a credential of its own. */
export function charges(count: number, protocols: readonly Protocol[], payer = 'load'): Charge[] {
  const account = payerAccount(payer);
  const run = randomUUID();
  return Array.from({ length: count }, (_, index) => {
    const protocol = protocols[index % protocols.length] ?? 'x402';
    const key = `${run}-${index}`;
    const amount = String(1_000 + index);
    const { credential, context } = MAKE[protocol]({ key, amount, payer: account });
    const spent = { amount, asset: 'USDC', decimals: 6 };
    return {
      protocol,
      key,
      amount,
      payer: payerOnLedger(account, protocol),
      provenPayer: PROVEN[protocol](key, account),
      request: { protocol, credential, context: { ...context, paymentRequestId: key }, spent },
    };
  });
}

interface Given {
  readonly key: string;
  readonly amount: string;
  readonly payer: ReturnType<typeof payerAccount>;
}
const tokenOf = (key: string): string => `token-of-a-load-test-${key}`;

/** What a credential proves by itself: a token is its own name, a signature is its wallet's, a charge by MPP is nobody's. */
const PROVEN: Readonly<Record<Protocol, (key: string, account: Given['payer']) => string | null>> = {
  atxp: (key) => `atxp:${createHash('sha256').update(tokenOf(key)).digest('hex')}`,
  x402: (_, { wallet }) => wallet.address.toLowerCase(),
  mpp: () => null,
};

type Make = (given: Given) => { readonly credential: object; readonly context: object };

const hex32 = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`;

const MAKE: Readonly<Record<Protocol, Make>> = {
  atxp: ({ key, payer }) => ({
    credential: { sourceAccountId: payer.accountId, sourceAccountToken: tokenOf(key) },
    context: { options: [{ network: 'base', currency: 'USDC', address: PAYEE, amount: '0.01' }] },
  }),
  x402: ({ key, amount, payer }) => {
    const seconds = Math.floor(Date.now() / 1000);
    const accepted = {
      scheme: 'exact',
      network: 'eip155:84532',
      asset: USDC,
      amount,
      payTo: PAYEE,
      maxTimeoutSeconds: LONG_ENOUGH_S,
      extra: { name: 'USDC', version: '2' },
    };
    const authorization = {
      from: payer.wallet.address,
      to: PAYEE,
      value: amount,
      validAfter: String(seconds - 60),
      validBefore: String(seconds + LONG_ENOUGH_S),
      nonce: hex32(key),
    };
    return {
      credential: { x402Version: 2, accepted, payload: { signature: SIGNATURE, authorization } },
      context: { paymentRequirements: accepted },
    };
  },
  mpp: ({ key, amount, payer }) => ({
    credential: {
      challenge: {
        id: hex32(key),
        realm: 'load.test',
        method: 'tempo',
        intent: 'charge',
        request: Buffer.from(JSON.stringify({ amount, currency: USDC, recipient: PAYEE })).toString('base64url'),
        expires: new Date(Date.now() + LONG_ENOUGH_S * 1000).toISOString(),
      },
      payload: { type: 'transaction', signature: SIGNATURE },
      source: `did:pkh:eip155:42431:${payer.wallet.address}`,
    },
    context: {},
  }),
};

const AT_ONCE = 32;

/** Handed to the servers in turn. @returns ids in the order of the charges */
export async function submit(servers: readonly TestProcess[], given: readonly Charge[]): Promise<SettlementId[]> {
  const ids: SettlementId[] = [];
  let nth = 0;
  const one = async (): Promise<void> => {
    while (nth < given.length) {
      const index = nth;
      nth += 1;
      const response = await fetch(`${servers[index % servers.length]?.url}/api/v1/settlements`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${SERVICE_TOKEN}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(given[index]?.request),
      });
      const text = await response.text();
      if (response.status !== 202) throw new Error(`a charge was answered ${response.status}: ${text}`);
      ids[index] = (JSON.parse(text) as { id: SettlementId }).id;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return ids;
}

/** A settlement as the table holds it, with what the auth server can be asked about. */
interface LoadRow {
  readonly key: string;
  readonly protocol: string;
  readonly payer: string | null;
  readonly spent: string;
  readonly status: string;
  readonly certainty: string;
  readonly attention_reason: string | null;
  readonly blocked_by: string | null;
  readonly body_sha256: string;
}

/**
 * Every charge is settled by its own row, once, for its amount, in both ledgers; nothing waits for a person and nothing
 * is unknown; and whatever was sent for it were the bytes frozen in its row, one call at a time.
 */
export async function expectAllSettledOnce(
  databaseUrl: string,
  sandbox: Pick<AuthServerControl, 'ledger' | 'calls'>,
  given: readonly Charge[],
): Promise<void> {
  const rows = await sql<LoadRow>(
    databaseUrl,
    `SELECT key, protocol, payer, spent::text, status, certainty, attention_reason, blocked_by, body_sha256 FROM settlements`,
  );
  const unlike = rows.filter(
    ({ status, certainty, attention_reason, blocked_by }) =>
      status !== 'settled' || certainty !== 'done' || attention_reason !== null || blocked_by !== null,
  );
  expect(unlike).toEqual([]);
  const ours = rows.map(({ key, protocol, payer, spent }) => `${key} ${protocol} ${payer} ${spent}`);
  const theirs = sandbox
    .ledger()
    .debits.map(({ key, protocol, payer, amount }) => `${key.replace('request:', '')} ${protocol} ${payer} ${amount}`);
  expect(theirs.sort()).toEqual(
    given.map(({ key, protocol, payer, amount }) => `${key} ${protocol} ${payer} ${amount}`).sort(),
  );
  expect(ours.sort()).toEqual(
    given.map(({ key, protocol, provenPayer, amount }) => `${key} ${protocol} ${provenPayer} ${amount}`).sort(),
  );

  const { keys, totals } = sandbox.calls();
  expect(totals).toMatchObject({
    keysWithDifferingBodies: 0,
    keysWithDifferingHeaders: 0,
    overlaps: 0,
    inProgress: 0,
  });
  const frozen = new Map(rows.map(({ key, body_sha256 }) => [`request:${key}`, body_sha256]));
  expect(keys.filter(({ key, bodies }) => Object.keys(bodies).join() !== frozen.get(key))).toEqual([]);
}
