import { isDecidable } from '../../domain/decisions/decisions.js';
import type { Live, LiveItem } from '../../reading/live.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import type { Call, Reply } from '../route.js';
import { namedBy } from './named-item.js';
import type { ReadingDependencies } from './reading-dependencies.js';

/** What its provider shows of an item now, beside what we have. */
export async function live(
  { params }: Call<unknown, unknown>,
  dependencies: Pick<ReadingDependencies, 'ledger'>,
  readNow: (item: LiveItem) => Promise<Live>,
): Promise<Reply> {
  const named = await namedBy(params, dependencies);
  if (named.kind === 'channel' || !isDecidable(named.kind))
    throw new HttpProblem('not_found', `nothing is decided about ${named.kind}s: look at what belongs to it`);
  const { explained, reading } = await fromLedger(readNow(named as LiveItem));
  const { sight, decisions, readAt } = reading;
  return {
    status: 200,
    body: {
      kind: explained.kind,
      id: explained.id,
      read_at: readAt,
      provider: sight.provider,
      answer: sight.answer,
      words: sight.words,
      shows: sight.facts,
      ours: { status: explained.status, certainty: explained.certainty, ...sight.ours },
      decisions: decisions.map((one) => ({
        ...one,
        effect: explained.decisions.find(({ action }) => action === one.action)?.does ?? null,
      })),
    },
  };
}
