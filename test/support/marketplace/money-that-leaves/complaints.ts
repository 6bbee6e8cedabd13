import type { StripeSandbox } from '../../../../sandbox/stripe/start.js';
import type { DisputeWorld } from '../dispute-world.js';
import { type AtProviders, atProviders, entitlements, leftOf } from './books.js';
import type { Played } from './cells.js';
import { type Asked, questionsOf } from './rest.js';

type StripeLedger = ReturnType<StripeSandbox['ledger']>;

/** What is not as it should be once all is at rest; nothing: the cell holds. */
export async function complaintsOf(
  world: DisputeWorld,
  { played, asked, atStripe }: { readonly played: Played; readonly asked: Asked; readonly atStripe: StripeLedger },
): Promise<readonly string[]> {
  const { stage, cell, refused } = played;
  const there = atProviders({ ...stage, atStripe });
  return [
    ...(cell.pair.when === 'before' && refused.includes(cell.pair.first.name)
      ? ['the first event did not happen']
      : []),
    ...shares(await ours(world, stage.order), { there, played, atStripe }),
    ...(await causes(world, stage.order, there)),
    ...(await openEnds(world, stage.order)),
    ...questions(asked, played, there),
    ...(await questionsOf(world, played)).map(({ kind, reason }) => `a ${kind} still asks: ${reason}`),
  ];
}

interface Share {
  readonly seller: string | null;
  readonly entitled: bigint;
  /** Sent or still to be sent, less what is taken back or still to be. */
  readonly has: bigint;
}

async function ours({ database }: DisputeWorld, order: string): Promise<readonly Share[]> {
  const rows = await database.query<{ seller: string | null; entitled: string; has: string }>(
    `SELECT s.seller_account AS seller, s.promised - s.due_back AS entitled,
       coalesce((SELECT sum(amount) FROM seller_transfers WHERE order_id = $1 AND seller_account = s.seller_account), 0)
         - coalesce((SELECT sum(amount) FROM reversals WHERE order_id = $1 AND seller_account = s.seller_account
             AND (NOT voided OR status = 'reversed')), 0) AS has
     FROM order_shares s WHERE order_id = $1`,
    [order],
  );
  return rows.map(({ seller, entitled, has }) => ({ seller, entitled: BigInt(entitled), has: BigInt(has) }));
}

/** Sellers have what the funds leave them, here and at Stripe, and the two equations of the order hold. */
function shares(
  all: readonly Share[],
  {
    there,
    played,
    atStripe,
  }: { readonly there: AtProviders; readonly played: Played; readonly atStripe: StripeLedger },
): readonly string[] {
  const { ada, bob } = played.stage.sellers;
  const of = (seller: string) => all.find((one) => one.seller === seller);
  const at = (seller: string) =>
    atStripe.transfers
      .filter((one) => one.destination === seller)
      .reduce((left, one) => left + BigInt(one.amount - one.amount_reversed), 0n);
  const text = (one: { readonly ada: bigint | undefined; readonly bob: bigint | undefined }) => `${one.ada}+${one.bob}`;
  const expected = entitlements(there).map(text);
  const [entitled, have, paid] = [
    text({ ada: of(ada)?.entitled, bob: of(bob)?.entitled }),
    text({ ada: of(ada)?.has, bob: of(bob)?.has }),
    text({ ada: at(ada), bob: at(bob) }),
  ];
  const left = all.reduce((sum, one) => sum + one.entitled, 0n);
  return [
    ...(left === leftOf(there)
      ? []
      : [`of the order ${left} is shared out, and at the providers ${leftOf(there)} is left`]),
    ...(expected.includes(entitled)
      ? []
      : [`sellers are entitled to ${entitled}, and the funds leave them ${expected.join(' or ')}`]),
    ...(have === entitled ? [] : [`sellers have ${have}, and are entitled to ${entitled}`]),
    ...(paid === have ? [] : [`sellers have ${paid} at Stripe, and here ${have}`]),
  ];
}

/** Line by line: every refund that stands at Stripe is one of ours, and every withdrawal too, once. */
async function causes({ database }: DisputeWorld, order: string, there: AtProviders): Promise<readonly string[]> {
  const refunds = await database.query<{ amount: string; connector: string | null }>(
    `SELECT amount, connector_refund_id AS connector FROM refunds WHERE order_id = $1 AND status = 'succeeded'`,
    [order],
  );
  const withdrawals = await database.query<{ source: string; amount: string }>(
    'SELECT source, amount FROM dispute_withdrawals WHERE order_id = $1',
    [order],
  );
  const amounts = (all: readonly { readonly amount: unknown }[]) =>
    all
      .map(({ amount }) => String(amount))
      .toSorted()
      .join('+');
  const [held, known] = [amounts(there.refunds), amounts(refunds)];
  const strange = refunds.filter(
    (one) => one.connector !== null && !there.refunds.some(({ id }) => id === one.connector),
  );
  const missing = there.withdrawn.filter(
    (one) => !withdrawals.some(({ source, amount }) => one === `${source} ${amount}`),
  );
  return [
    ...(held === known ? [] : [`refunds of ${known} stand, and at Stripe ${held}`]),
    ...strange.map(({ connector }) => `${connector} is no refund that stands at Stripe`),
    ...missing.map((one) => `the withdrawal ${one} is not in the ledger`),
  ];
}

/** Nothing unknown, on its way, or without a next date. */
async function openEnds({ database }: DisputeWorld, order: string): Promise<readonly string[]> {
  const rows = await database.query<{ what: string }>(
    `SELECT 'payment ' || status || ' ' || certainty AS what FROM payments WHERE order_id = $1 AND (status <> 'succeeded' OR disputes_look_at IS NULL)
     UNION ALL SELECT 'refund ' || status || ' ' || certainty FROM refunds WHERE order_id = $1 AND (status NOT IN ('succeeded', 'failed') OR certainty = 'unknown')
     UNION ALL SELECT 'transfer ' || status || ' ' || certainty FROM seller_transfers WHERE order_id = $1
       AND (certainty = 'unknown' OR status IN ('pending', 'failed', 'permanently_failed', 'reversal_pending', 'held', 'waiting_platform_balance', 'waiting_seller'))
     UNION ALL SELECT 'reversal ' || status || ' ' || certainty FROM reversals WHERE order_id = $1
       AND (certainty = 'unknown' OR status NOT IN ('reversed', 'written_off'))
     UNION ALL SELECT 'dispute ' || status || ' without a next date' FROM disputes WHERE order_id = $1 AND next_check_at IS NULL`,
    [order],
  );
  return rows.map(({ what }) => `left open: ${what}`);
}

/** A person is asked where decision 0059 says so, and nowhere else. */
function questions(asked: Asked, { cell, refused }: Played, { unnamed }: AtProviders): readonly string[] {
  const { first, second } = cell.pair;
  const happened = [first, second].filter(({ name }) => !refused.includes(name));
  const must = [
    ...(unnamed.disputes > 0 ? ['dispute dispute'] : []),
    ...(unnamed.refunds > 0 ? ['payment unknown_refund'] : []),
  ];
  const may = [
    ...must,
    ...(happened.some(({ isOfStripeAlone }) => isOfStripeAlone) ? ['payment unknown_refund'] : []),
    ...(happened.some(({ failsLater }) => failsLater) ? ['refund refund_failed_after_reversal'] : []),
    // A payment that was cancelled while a refund was under way, or beside one that failed, and nobody knows which came first.
    ...(happened.some(({ isCancel }) => isCancel) &&
    (cell.pair.when === 'during' || happened.some(({ failsLater }) => failsLater))
      ? ['payment conflict']
      : []),
  ];
  return [
    ...must.filter((one) => !asked.has(one)).map((one) => `nobody was asked: ${one}`),
    ...[...asked].filter((one) => !may.includes(one)).map((one) => `a person was asked: ${one}`),
  ];
}
