import { useQuery } from '@tanstack/react-query';
import { spoken } from '../../../src/domain/words.js';
import { lastRunQuery } from '../api/queries.js';
import { Icon } from '../parts/Icon.js';
import { Said } from '../parts/Said.js';
import { When } from '../parts/When.js';

/** When the ledger was compared last, and what was not: of that nothing is known, whatever else is told here. */
export function LastRun() {
  const { data } = useQuery(lastRunQuery);
  if (data === undefined) return null;
  const [run] = data.items;
  if (run === undefined) return <p className="muted">Nothing has been compared yet.</p>;
  const notCompared = run.parts.flatMap(({ part, left_because: why, uncompared }) => [
    ...(why === null ? [] : [`${spoken(part)}: ${why}`]),
    ...uncompared.map((name) => `${spoken(part)}: ${name} cannot be read`),
  ]);
  return (
    <>
      <p className="muted">
        {run.state === 'running' ? 'Being compared since' : 'Compared last'} <When at={run.started_at} />, asked for by{' '}
        <Said text={run.requested_by} />.
      </p>
      {notCompared.length === 0 ? null : (
        <div className="notice notice-warn" role="status">
          <Icon name="hand" size={18} />
          <div className="notice-body">
            <p className="notice-title">Not compared in this run</p>
            <ul>
              {notCompared.map((words) => (
                <li key={words}>{words}</li>
              ))}
            </ul>
          </div>
        </div>
      )}
    </>
  );
}
