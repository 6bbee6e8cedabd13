import type { PaymentFacts, ReadAnswer, RefundFacts } from '../../domain/calls/provider-answers.js';
import { readAnswer } from './answers.js';
import type { Ask } from './call.js';
import { readPaymentPage, readRefundPage } from './facts.js';

export interface HyperswitchPage<Item> {
  readonly items: readonly Item[];
  /** Ids of those that cannot be read; all others are. */
  readonly unreadable: readonly string[];
  /** Where the next page begins; null: nothing follows. */
  readonly next: string | null;
}

/** Everything of one kind that our key sees, whoever made it: one page of a hundred, newest first. Nothing is synchronised by it. */
export interface HyperswitchLists {
  paymentsSince(page: {
    readonly createdSince: Date;
    readonly startingAfter: string | null;
  }): Promise<ReadAnswer<HyperswitchPage<PaymentFacts>>>;
  refundsSince(page: {
    readonly createdSince: Date;
    readonly startingAfter: string | null;
  }): Promise<ReadAnswer<HyperswitchPage<RefundFacts>>>;
}

const PAGE = 100;

export function hyperswitchLists(ask: Ask): HyperswitchLists {
  return {
    async paymentsSince({ createdSince, startingAfter }) {
      const query = new URLSearchParams({ limit: String(PAGE), 'created.gte': wholeSecond(createdSince) });
      if (startingAfter !== null) query.set('starting_after', startingAfter);
      const { verdict } = await ask('GET', `/payments/list?${query.toString()}`);
      if (verdict.kind !== 'object') return readAnswer(verdict);
      const read = readPaymentPage(verdict.object);
      if ('unreadable' in read) return { kind: 'unclear', detail: `Hyperswitch answered, but ${read.unreadable}` };
      // It may give less at once than asked for: the list has ended where a page is empty.
      const { items, unreadable, lastId } = read.facts;
      return { kind: 'found', value: { items, unreadable, next: lastId } };
    },

    /** Paged by position: one that changes meanwhile may be named twice, or slip past, and is read by itself then. */
    async refundsSince({ createdSince, startingAfter }) {
      const offset = Number(startingAfter ?? 0);
      const body = { limit: PAGE, offset, start_time: wholeSecond(createdSince) };
      const { verdict } = await ask('POST', '/refunds/list', { body });
      if (verdict.kind !== 'object') return readAnswer(verdict);
      const read = readRefundPage(verdict.object);
      if ('unreadable' in read) return { kind: 'unclear', detail: `Hyperswitch answered, but ${read.unreadable}` };
      const { items, unreadable, total } = read.facts;
      const length = items.length + unreadable.length;
      const next = offset + length;
      return {
        kind: 'found',
        value: { items, unreadable, next: length === 0 || next >= total ? null : String(next) },
      };
    },
  };
}

const wholeSecond = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
