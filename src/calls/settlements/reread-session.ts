import type { SettlementId } from '../../domain/ids.js';
import type { SettlementStatus } from '../../domain/settlements/settlement-status.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Logger } from '../../observability/logger.js';
import { closingBody } from '../../protocols/closing-body.js';

export interface RereadDependencies {
  readonly ledger: Pick<Ledger, 'unreadableSession' | 'closeReadable' | 'stillUnreadable'>;
  readonly logger: Pick<Logger, 'error'>;
}

/**
 * A person wants a session looked at again that could not be read: it is closed at its last durable amount as soon as it can
 * be read, and until then says why it cannot.
 * @returns the settlement's status afterwards; undefined: it is no such session any more, or the ledger did not answer, and
 * the sweep looks
 */
export function createRereader({ ledger, logger }: RereadDependencies) {
  return async function reread(id: SettlementId): Promise<SettlementStatus | undefined> {
    try {
      const session = await ledger.unreadableSession(id);
      if (session === undefined) return undefined;
      const { credential } = session;
      const body = credential instanceof Error ? credential : closingBody(session, credential);
      if (!(body instanceof Error)) return await ledger.closeReadable(session, body);
      await ledger.stillUnreadable(id, `its credential cannot be read: ${body.message}`);
      return 'needs_attention';
    } catch (error) {
      logger.error({ settlement: id, err: error }, 'a session could not be read again now; the next sweep tries it');
      return undefined;
    }
  };
}
