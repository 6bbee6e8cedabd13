import { spoken } from '../../../src/domain/words.js';
import type { Overview } from '../api/types.js';
import { Icon } from '../parts/Icon.js';
import { RunbookLink } from '../parts/RunbookLink.js';
import { When } from '../parts/When.js';

/** What the ledger and a provider tell differently is not found of these meanwhile. */
export function NotCompared({ compared }: Pick<Overview, 'compared'>) {
  const late = compared.filter((part) => part.late);
  if (late.length === 0) return null;
  return (
    <div className="notice notice-warn" role="status">
      <Icon name="hand" size={18} />
      <div className="notice-body">
        <p className="notice-title">Not compared with its provider for too long</p>
        <p>
          {late.map(({ part, last_success_at: at }, nth) => (
            <span key={part}>
              {nth > 0 ? ', ' : ''}
              {spoken(part)} (<When at={at} />)
            </span>
          ))}
        </p>
        <p className="notice-foot">
          <RunbookLink runbook="docs/runbooks/comparing-stopped.md" />
        </p>
      </div>
    </div>
  );
}
