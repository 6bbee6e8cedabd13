import { isLive, type ReversalFacts, type TransferWithReversals } from '../../domain/calls/provider-answers.js';
import { takenByOthers, undecidedOf } from '../../domain/marketplace/foreign-reversals.js';
import { isMoney, isOfGeneration, reversalsOf } from '../../domain/marketplace/ours-at-stripe.js';
import type { ClaimedReversal } from '../../ledger/calls/call-types.js';
import type { StripeCalls } from '../../providers/stripe/client.js';
import type { Looked } from './stripe-call-types.js';
import { unfinished } from './stripe-meanings.js';

/** What names a reversal of ours at Stripe, and, where it is to be sent, what else of its transfer is accounted for. */
export type SoughtReversal = Pick<ClaimedReversal, 'id' | 'stripeTransferId' | 'sellerAccount' | 'atStripe'> &
  Partial<Pick<ClaimedReversal, 'generation' | 'accounted' | 'isConverted'>>;

export async function lookForReversal(
  stripe: { inLane(lane: string): Pick<StripeCalls, 'readTransfer'> },
  sought: SoughtReversal,
): Promise<Looked> {
  const answer = await stripe.inLane(sought.sellerAccount).readTransfer(sought.stripeTransferId);
  if (answer.kind === 'missing') {
    return {
      kind: 'hopeless',
      why: 'missing',
      detail: `${sought.stripeTransferId} does not exist in this Stripe account and mode; check STRIPE_SECRET_KEY, then resolve with retry`,
    };
  }
  return answer.kind === 'found' ? lookedOf(answer.value, sought) : { kind: 'unread', answer };
}

function lookedOf({ transfer, reversals }: TransferWithReversals, sought: SoughtReversal): Looked {
  const { atStripe: due } = sought;
  if (transfer.currency !== due.currency) {
    return {
      kind: 'hopeless',
      why: 'conflict',
      detail: `${transfer.stripeTransferId} is in ${transfer.currency} at Stripe, and ${due.amount} ${due.currency} are to be taken back of it: amounts of different currencies are never compared, and nothing was sent; take it back at Stripe, then write_off`,
    };
  }
  const all = reversalsOf(sought.id, reversals);
  const ours = all.filter(isLive);
  const [one] = ours;
  if (one && ours.length === 1 && isMoney(one, due)) {
    return one.state === 'done'
      ? { kind: 'ours', stripeId: one.stripeReversalId }
      : unfinished(one.state, one.stripeReversalId);
  }
  if (one) {
    return {
      kind: 'hopeless',
      why: 'conflict',
      detail: `Stripe holds ${listed(ours)} for this reversal of ${due.amount} ${due.currency}; nothing was sent`,
    };
  }
  const over = all.find((each) => each.state !== 'done' && isOfGeneration(each, sought.generation));
  if (over && over.state !== 'done') return unfinished(over.state, over.stripeReversalId);
  return leftToTake({ transfer, reversals }, sought);
}

/** None of it is ours: whether what is asked for is left, and what somebody else took has been decided about. */
function leftToTake({ transfer, reversals }: TransferWithReversals, sought: SoughtReversal): Looked {
  const { accounted = { operationIds: [], stripeIds: [], decided: {} } } = sought;
  const { stripeTransferId, currency } = transfer;
  const mixed = reversals.filter((each) => isLive(each) && each.currency !== currency);
  if (mixed.length > 0)
    return {
      kind: 'hopeless',
      why: 'conflict',
      others: mixed.map(({ stripeReversalId: id }) => id),
      detail: `${stripeTransferId} is in ${currency} at Stripe, and was reversed there in another currency: ${listed(mixed)}; amounts of different currencies are never compared, and nothing was sent; write_off, or retry once it is as it should be`,
    };
  const { atStripe: due } = sought;
  const others = takenByOthers({ transfer, reversals }, accounted);
  if (others.left === 0n && others.taken > 0n) {
    return {
      kind: 'hopeless',
      why: 'foreign',
      others: others.reversals.map(({ stripeReversalId: id }) => id),
      detail: `${stripeTransferId} is already fully reversed, not by us: ${listed(others.reversals)}; adopt one of them or write it off`,
    };
  }
  if (due.amount > others.left) {
    return {
      kind: 'hopeless',
      why: 'exceeds',
      others: others.reversals.map(({ stripeReversalId: id }) => id),
      detail: `${others.left} ${currency} of ${stripeTransferId} are left, less than the ${due.amount} ${due.currency} to take back`,
    };
  }
  const undecided = others.reversals.filter(
    ({ stripeReversalId: id, amount }) => undecidedOf({ id, amount }, accounted.decided) > 0n,
  );
  if (undecided.length > 0) {
    return {
      kind: 'hopeless',
      why: 'partly_foreign',
      others: others.reversals.map(({ stripeReversalId: id }) => id),
      detail: `somebody else took ${others.taken} ${currency} of ${stripeTransferId} back; nobody has decided about ${listed(undecided)}; nothing was sent of the ${due.amount} to take: ${sought.isConverted ? OF_CONVERTED : 'count_as_share, take_missing or take_all'}`,
    };
  }
  return { kind: 'absent' };
}

/** What others took is in another currency than the share, and is not counted for it. */
const OF_CONVERTED =
  'its order is in another currency, so none of it is counted: take what is due back at Stripe and adopt that, or write_off';

const listed = (reversals: readonly ReversalFacts[]): string =>
  reversals
    .slice(0, 5)
    .map(({ stripeReversalId, amount, currency }) => `${stripeReversalId} (${amount} ${currency})`)
    .join(', ');
