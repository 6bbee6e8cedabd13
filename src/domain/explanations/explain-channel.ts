import { NOTHING_IS_NEXT } from '../decisions/explain-next.js';
import type { Place } from './where-money-is.js';

/** What of a payment channel says where its money is. Atomic units of the token; times are ISO 8601. */
export interface ExplainedChannel {
  readonly id: string;
  readonly payer: string;
  readonly token: string;
  readonly deposit: bigint;
  readonly accepted: bigint;
  readonly spent: bigint;
  readonly earned: bigint;
  readonly settled: bigint;
  readonly finalized: boolean;
  readonly closeRequestedAt: string | null;
  readonly nextCheckAt: string | null;
}

/** Amounts are digits, as of every atomic unit. */
export interface ChannelExplanation {
  readonly kind: 'channel';
  readonly id: string;
  readonly payer: string;
  readonly token: string;
  readonly deposit: string;
  readonly accepted: string;
  readonly spent: string;
  readonly earned: string;
  readonly settled: string;
  readonly money: { readonly with: readonly Place[]; readonly words: string };
  readonly why: string;
  readonly next: string;
  readonly next_at: string | null;
}

export const explainChannel = (channel: ExplainedChannel): ChannelExplanation => ({
  kind: 'channel',
  id: channel.id,
  payer: channel.payer,
  token: channel.token,
  deposit: channel.deposit.toString(),
  accepted: channel.accepted.toString(),
  spent: channel.spent.toString(),
  earned: channel.earned.toString(),
  settled: channel.settled.toString(),
  money: where(channel),
  why: why(channel),
  next: next(channel),
  next_at: channel.nextCheckAt,
});

function where({ deposit, settled, earned, finalized }: ExplainedChannel): ChannelExplanation['money'] {
  if (finalized)
    return {
      with: ['chain', 'buyer'],
      words: `on the chain: ${settled} at our payee address, the rest of ${deposit} back with the payer`,
    };
  const due = earned - settled;
  return {
    with: ['chain'],
    words: `on the chain: ${settled} at our payee address, ${deposit - settled} in escrow, of which ${due < 0n ? 0n : due} is earned and not captured`,
  };
}

function why({ accepted, spent, earned, finalized, closeRequestedAt, payer }: ExplainedChannel): string {
  const used = `${payer} has signed for ${accepted}; responses have earned ${earned}, and ${spent - earned} is reserved for requests under way`;
  if (finalized) return `it is closed; ${used}`;
  return closeRequestedAt === null ? used : `${used}. Its payer asked for the close at ${closeRequestedAt}`;
}

function next({ earned, settled, finalized, closeRequestedAt, nextCheckAt }: ExplainedChannel): string {
  if (finalized) return NOTHING_IS_NEXT;
  const looked = nextCheckAt === null ? '' : `; it is looked at again at ${nextCheckAt}`;
  if (earned > settled)
    return `what is earned is captured ${closeRequestedAt === null ? 'above TEMPO_SETTLE_THRESHOLD, after TEMPO_SETTLE_INTERVAL, or when it is closed' : 'before the payer may take the deposit back'}${looked}`;
  return `nothing is to be captured now${looked}`;
}

/** For a terminal: the same in lines. */
export const channelExplanationLines = ({
  id,
  token,
  deposit,
  money,
  why: because,
  next: then,
}: ChannelExplanation) => [
  `channel ${id}: deposit ${deposit} (atomic units of ${token})`,
  `where the money is: ${money.words}`,
  `why: ${because}`,
  `what happens next: ${then}`,
];
