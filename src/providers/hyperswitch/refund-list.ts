import type { ReadAnswer, RefundFacts } from '../../domain/calls/provider-answers.js';
import { readAnswer } from './answers.js';
import type { Ask } from './call.js';
import { readRefundPage } from './facts.js';

/** The most that Hyperswitch gives at once. */
const PAGE = 100;
/** 5,000 refunds of one payment: what lies beyond is no order of ours. */
const MOST_PAGES = 50;

/**
 * All pages of POST /refunds/list for one payment. Hyperswitch pages by position, newest change first: a refund that
 * changes meanwhile can slip past, so the number found must be the number that Hyperswitch counts.
 */
export async function allRefunds(ask: Ask, paymentId: string): Promise<ReadAnswer<readonly RefundFacts[]>> {
  const byId = new Map<string, RefundFacts>();
  let offset = 0;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { verdict } = await ask('POST', '/refunds/list', {
      body: { payment_id: paymentId, limit: PAGE, offset },
    });
    if (verdict.kind !== 'object') return readAnswer(verdict);
    const read = readRefundPage(verdict.object);
    if ('unreadable' in read) return unclear(paymentId, read.unreadable);
    const { items: refunds, unreadable, total } = read.facts;
    // It might be the one that is looked for.
    if (unreadable.length > 0) return unclear(paymentId, `${unreadable.join(', ')} cannot be read`);
    if (refunds.some((refund) => refund.hyperswitchPaymentId !== paymentId)) {
      return unclear(paymentId, 'the list holds refunds of other payments');
    }
    for (const refund of refunds) byId.set(refund.hyperswitchRefundId, refund);
    offset += refunds.length;
    if (refunds.length === 0 || offset >= total) {
      return byId.size === total
        ? { kind: 'found', value: Array.from(byId.values()) }
        : unclear(paymentId, `${byId.size} of ${total} refunds were found: they changed while they were read`);
    }
  }
  return unclear(paymentId, `there are more than ${PAGE * MOST_PAGES}`);
}

const unclear = (paymentId: string, why: string): ReadAnswer<never> => ({
  kind: 'unclear',
  detail: `the refunds of ${paymentId} could not all be read: ${why}`,
});
