import { parseDecisionId } from '../../domain/ids.js';
import type { ItemSummary } from '../../ledger/reading/item-summaries.js';
import { fromLedger } from '../from-ledger.js';
import type { Call, Reply } from '../route.js';
import type { ReadingDependencies } from './reading-dependencies.js';
import type { SearchQuery } from './reading-schemas.js';
import { amountInWords } from './second-person.js';

interface Result {
  readonly kind: string;
  readonly id: string;
  readonly matched: string;
  readonly label: string;
  readonly status: string;
  readonly needs_attention: boolean;
}

/** A person reads no more. */
const MOST_SHOWN = 50;

/** Items, channels, events of providers and decisions by any name that a person may have for them. */
export async function search(
  { query }: Call<unknown, SearchQuery>,
  { ledger }: Pick<ReadingDependencies, 'ledger'>,
): Promise<Reply> {
  const text = query.q.trim();
  if (text === '') return { status: 200, body: { results: [], more: false } };
  const [{ items, by }, channel, events, decision] = await fromLedger(
    Promise.all([
      ledger.findNamedItems(text),
      ledger.explainedChannel(text.toLowerCase()),
      ledger.listWebhooks({ eventId: text.replace(/^(?:stripe|hyperswitch):/, ''), limit: MOST_SHOWN }),
      decisionBy(ledger, text.toLowerCase()),
    ]),
  );
  const shown = items.slice(0, MOST_SHOWN);
  const summaries = await fromLedger(ledger.itemSummaries(shown.map(({ id }) => id)));
  const results: readonly Result[] = [
    ...(channel
      ? [
          {
            kind: 'channel',
            id: channel.id,
            matched: 'id',
            label: `deposit ${channel.deposit}, ${channel.settled} settled, of ${channel.payer}`,
            status: channel.finalized ? 'closed' : channel.closeRequestedAt === null ? 'open' : 'closing',
            needs_attention: false,
          },
        ]
      : []),
    ...decision,
    ...shown.flatMap((item) => {
      const summary = summaries.find(({ id, kind }) => id === item.id && kind === item.kind);
      return summary ? [resultOf(summary, by)] : [];
    }),
    ...events.map(({ key, type, processedAt, objectId }) => ({
      kind: 'webhook',
      id: key.id,
      matched: 'event',
      label: `${type}${objectId === null ? '' : ` about ${objectId}`}`,
      status: processedAt === null ? 'waiting' : 'processed',
      needs_attention: false,
    })),
  ];
  return { status: 200, body: { results, more: items.length > MOST_SHOWN } };
}

const resultOf = (summary: ItemSummary, by: string): Result => ({
  kind: summary.kind,
  id: summary.id,
  matched: by,
  label: `${amountInWords(summary)}${summary.who === null ? '' : `, ${summary.who}`}`,
  status: summary.status,
  needs_attention: summary.needsAttention,
});

async function decisionBy(ledger: ReadingDependencies['ledger'], text: string): Promise<readonly Result[]> {
  const id = parseDecisionId(text);
  const item = id && (await ledger.decisionItem(id));
  if (!item) return [];
  const [found] = (await ledger.listDecisions({ itemId: item.itemId, limit: 200 })).filter(({ key }) => key.id === id);
  return found
    ? [
        {
          kind: 'decision',
          id: found.key.id,
          matched: 'id',
          label: `${found.action} of ${found.kind} ${found.itemId} by ${found.by}`,
          status: found.state,
          needs_attention: found.state === 'pending_approval',
        },
      ]
    : [];
}
