import pg from 'pg';
import { type Clock, systemClock } from '../domain/clock.js';
import { newestKnown } from './migrate.js';

/** What the ledger's operations need of Postgres. Amounts come back as digits: numeric and bigint stay strings. */
export interface Database {
  /**
   * @param name Postgres keeps the statement prepared under it, one text for each name; only for hot statements whose
   *   plan does not depend on the size of the tables, because a kept plan is not made anew when they grow
   */
  readonly query: <Row extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ) => Promise<Row[]>;
  /** One connection, one transaction: committed when `work` resolves, rolled back when it throws. */
  transaction<T>(work: (query: Database['query']) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly maxConnections?: number;
  /** 0: without a limit, for statements that read the whole ledger. */
  readonly statementTimeoutMs?: number;
  /** The newest migration that this build knows; only tests say otherwise. */
  readonly knows?: number;
  /** A clock other than the system's moves `clock_now()` of every statement with it. */
  readonly clock?: Clock;
  /** Connections that break while idle are replaced; this hears of them. */
  readonly onIdleError?: (error: Error) => void;
}

/** Long enough for a busy database, short enough that a paid response does not hang on a dead one. */
const STATEMENT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Of a process that stands still, or a network that is gone, between two statements: what it has locked is let go after this. */
const IDLE_IN_TRANSACTION_MS = 10_000;

export function createDatabase(options: DatabaseOptions): Database {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs === 0 ? 0 : IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: 'makegood',
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  // The pool listens to idle connections only. One that breaks between two statements, or in the very packet that ends
  // its handshake, would end the process; the pool drops such a connection by itself when it is given back.
  pool.on('connect', (client) => client.on('error', () => undefined));

  const moved = options.clock !== undefined && options.clock !== systemClock ? options.clock : undefined;

  const knows = String(options.knows ?? newestKnown());
  const introduced = new WeakSet<pg.PoolClient>();

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      if (!introduced.has(client)) {
        await client.query('SELECT set_config($1, $2, false)', ['makegood.knows', knows]);
        introduced.add(client);
      }
      if (moved) {
        const offset = `${moved.nowMs() - Date.now()} milliseconds`;
        await client.query('SELECT set_config($1, $2, false)', ['makegood.clock_offset', offset]);
      }
      return await work(client);
    } catch (error) {
      // A timed-out query may still be running on this connection: it is not given to anybody else.
      if (!(error instanceof pg.DatabaseError)) broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  const run = (client: pg.PoolClient) =>
    async function query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = [], name?: string) {
      return (await client.query<Row>({ text, values: [...values], name })).rows;
    };

  return {
    query: (text, values, name) => withClient((client) => run(client)(text, values, name)),
    transaction: (work) =>
      withClient(async (client) => {
        await client.query('BEGIN');
        try {
          const result = await work(run(client));
          await client.query('COMMIT');
          return result;
        } catch (error) {
          await client.query('ROLLBACK').catch(() => undefined);
          throw error;
        }
      }),
    close: () => pool.end(),
  };
}
