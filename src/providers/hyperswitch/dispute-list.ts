import type { NamedDispute, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { JsonValue } from '../../domain/json.js';
import { readAnswer } from './answers.js';
import type { Ask } from './call.js';
import { readDisputePage } from './facts.js';

const PAGE = 100;
/** 1,000 disputes of one payment: what lies beyond is no order of ours. */
const MOST_PAGES = 10;

/**
 * All pages of GET /disputes/list for one payment. Hyperswitch says nowhere how many there are and may give less at once than asked
 * for, so the list has ended where a page brings nothing new.
 */
export async function allDisputes(ask: Ask, paymentId: string): Promise<ReadAnswer<readonly NamedDispute[]>> {
  const byId = new Map<string, NamedDispute>();
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const path = `/disputes/list?payment_id=${paymentId}&limit=${PAGE}&offset=${byId.size}`;
    const { verdict } = await ask('GET', path, { bareList: true });
    if (verdict.kind !== 'object') return readAnswer(verdict);
    const { data } = verdict.object;
    if (!Array.isArray(data)) return unclear(paymentId, 'the answer is no list');
    const read = readDisputePage(data as readonly JsonValue[]);
    if ('unreadable' in read) return unclear(paymentId, read.unreadable);
    if (read.facts.some((dispute) => dispute.hyperswitchPaymentId !== paymentId))
      return unclear(paymentId, 'the list holds disputes of other payments');
    const known = byId.size;
    for (const dispute of read.facts) byId.set(dispute.hyperswitchDisputeId, dispute);
    if (byId.size === known) return { kind: 'found', value: Array.from(byId.values()) };
  }
  return unclear(paymentId, `there are more than ${PAGE * MOST_PAGES}`);
}

const unclear = (paymentId: string, why: string): ReadAnswer<never> => ({
  kind: 'unclear',
  detail: `the disputes of ${paymentId} could not all be read: ${why}`,
});
