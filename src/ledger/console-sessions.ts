import type { Role } from '../domain/roles.js';
import type { Database } from './database.js';

export interface NewConsoleSession {
  /** SHA-256 of the cookie's secret. */
  readonly secretSha256: Buffer;
  readonly name: string;
  readonly role: Role;
  /** What only the secret and the token together make. */
  readonly tokenProof: Buffer;
}

export type ConsoleSession = Pick<NewConsoleSession, 'name' | 'role' | 'tokenProof'>;

/** However it is used; and while nobody uses it. */
const LONGEST = `interval '12 hours'`;
const IDLE = `interval '1 hour'`;
const LIVE = `expires_at > clock_now() AND used_at > clock_now() - ${IDLE}`;
/** Of its use, no more is written: a page asks for many things at once. */
const WRITTEN_EVERY = `interval '1 minute'`;

/** Who is signed in to the console. */
export function createConsoleSessions(database: Database) {
  return {
    async openConsoleSession({ secretSha256, name, role, tokenProof }: NewConsoleSession): Promise<void> {
      await database.query(
        `WITH ended AS (DELETE FROM console_sessions WHERE NOT (${LIVE}))
         INSERT INTO console_sessions (secret_sha256, name, role, token_proof, expires_at)
           VALUES ($1, $2, $3, $4, clock_now() + ${LONGEST})`,
        [secretSha256, name, role, tokenProof],
      );
    },

    /** Undefined: it was never there, has ended, or was not used for too long. @param isUse keeps it alive */
    async consoleSession(secretSha256: Buffer, isUse: boolean): Promise<ConsoleSession | undefined> {
      const [row] = await database.query<{ name: string; role: Role; token_proof: Buffer }>(
        `WITH used AS (
           UPDATE console_sessions SET used_at = clock_now()
           WHERE secret_sha256 = $1 AND $2 AND ${LIVE} AND used_at < clock_now() - ${WRITTEN_EVERY}
         )
         SELECT name, role, token_proof FROM console_sessions WHERE secret_sha256 = $1 AND ${LIVE}`,
        [secretSha256, isUse],
      );
      return row && { name: row.name, role: row.role, tokenProof: row.token_proof };
    },

    async endConsoleSession(secretSha256: Buffer): Promise<void> {
      await database.query('DELETE FROM console_sessions WHERE secret_sha256 = $1', [secretSha256]);
    },
  };
}
