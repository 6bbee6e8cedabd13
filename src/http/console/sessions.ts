import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ApiToken } from '../../domain/roles.js';
import type { ConsoleSession, NewConsoleSession } from '../../ledger/console-sessions.js';
import type { CallerSession, Principal } from '../route.js';

/** What sessions need of the ledger. */
export interface SessionLedger {
  openConsoleSession(session: NewConsoleSession): Promise<void>;
  consoleSession(secretSha256: Buffer, isUse: boolean): Promise<ConsoleSession | undefined>;
  endConsoleSession(secretSha256: Buffer): Promise<void>;
}

export interface Caller {
  readonly principal: Principal;
  /** Undefined: the caller came by a token. */
  readonly session: CallerSession | undefined;
}

/** 32 random bytes. */
export const SECRET = /^[A-Za-z0-9_-]{43}$/;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
/** Without the secret, which only the cookie has, nobody can try tokens against it. */
const proofOf = (secret: string, token: string): Buffer => createHmac('sha256', secret).update(token).digest();
/** Follows from the secret, which no script can read, and does not lead back to it. */
const csrfOf = (secret: string): string => createHmac('sha256', secret).update('csrf').digest('base64url');

/** Sessions of persons who have signed in with their token; valid only while that token is. */
export function createSessions(ledger: SessionLedger, tokens: readonly ApiToken[]) {
  /** The token it was made with is still one of this person in this role. */
  const isHeld = (secret: string, { name, role, tokenProof }: ConsoleSession): boolean => {
    let held = false;
    for (const one of tokens) {
      const same = timingSafeEqual(proofOf(secret, one.token), tokenProof);
      if (same && one.name === name && one.role === role) held = true;
    }
    return held;
  };

  async function look(secret: string, isUse: boolean): Promise<Principal | undefined> {
    const found = await ledger.consoleSession(sha256(secret), isUse);
    return found && isHeld(secret, found) ? { name: found.name, role: found.role } : undefined;
  }

  return {
    /** @returns the secret for the cookie, and what its holder sends with changes */
    async open({ name, role }: Principal, token: string): Promise<{ readonly secret: string; readonly csrf: string }> {
      const secret = randomBytes(32).toString('base64url');
      await ledger.openConsoleSession({ secretSha256: sha256(secret), name, role, tokenProof: proofOf(secret, token) });
      return { secret, csrf: csrfOf(secret) };
    },

    /** Whose session this is; undefined: nobody's any more. */
    async find(secret: string): Promise<Caller | undefined> {
      const principal = await look(secret, true);
      return (
        principal && {
          principal,
          session: {
            csrf: csrfOf(secret),
            isLive: async () => (await look(secret, false)) !== undefined,
            end: () => ledger.endConsoleSession(sha256(secret)),
          },
        }
      );
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;
