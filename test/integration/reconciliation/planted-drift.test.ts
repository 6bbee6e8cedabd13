import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import type { OrderId } from '../../../src/domain/ids.js';
import { DRIFT_KINDS, type Drift, type DriftKind } from '../../../src/domain/reconciliation/drift.js';
import { marketplaceWorkflowId } from '../../../src/domain/workflow-ids.js';
import { startApi, TOKENS } from '../../support/api.js';
import { runMakegood } from '../../support/cli.js';
import { type ConnectedTemporal, startConnectedTemporal } from '../../support/connected-temporal.js';
import { aSettlement, attempt, DONE } from '../../support/ledger-fixtures.js';
import { openReconcileWorld, type ReconcileWorld } from '../../support/marketplace/reconcile-world.js';
import { until } from '../../support/until.js';

/** Drift of every kind is planted in a marketplace that agrees with its providers, and one run finds it. */

let temporal: ConnectedTemporal;
let world: ReconcileWorld;
/** What was planted, by kind: what it is called at its provider. */
const planted = new Map<DriftKind, string>();
let found: readonly Drift[];

/** Mended by the run itself, and told. */
const REPAIRED: ReadonlySet<DriftKind> = new Set(['workflow_gone', 'payout_unknown']);

const PATIENCE = { limitMs: 30_000 };

const orderOf = (id: OrderId) => world.world.find(id);

/** Paid, and the seller has its transfer. */
async function sold(seller: string) {
  const { id } = await world.world.paidOrder({ [seller]: 1_000n });
  await until(
    'the seller has its transfer',
    async () => (await orderOf(id)).transfers[0]?.status === 'completed',
    PATIENCE,
  );
  const order = await orderOf(id);
  return { order, transfer: order.transfers[0]!, payment: order.payment! };
}

async function refunded(seller: string) {
  const { order } = await sold(seller);
  await world.world.refund(order.id);
  await until(
    'the share is taken back',
    async () => (await orderOf(order.id)).reversals[0]?.status === 'reversed',
    PATIENCE,
  );
  const now = await orderOf(order.id);
  return { order: now, refund: now.refunds[0]!, reversal: now.reversals[0]! };
}

const chargeOf = async (paymentId: string): Promise<string> => {
  const [row] = await world.test.database.query<{ name: string }>(
    'SELECT connector_transaction_id AS name FROM payments WHERE id = $1',
    [paymentId],
  );
  const charge = world.stripe.ledger().charges.find(({ payment_intent }) => payment_intent === row?.name);
  return charge!.id;
};

async function disputed(seller: string) {
  const { payment, order } = await sold(seller);
  const news = await world.hyperswitch.openDispute({ payment_id: payment.hyperswitchPaymentId! });
  if ('problem' in news) throw new Error('no dispute was opened');
  await world.world.calls!.searchPayment(payment.id);
  await until('the ledger has read it', async () => (await orderOf(order.id)).disputes[0]?.funds === 'out', PATIENCE);
  const dispute = (await orderOf(order.id)).disputes[0]!;
  return { dispute, order };
}

const NONCES = ['0x11', '0x22', '0x33'].map((start) => start.padEnd(66, '0'));
const PAYER = `0x${'ab'.repeat(20)}`;
const TOKEN = `0x${'cd'.repeat(20)}`;

async function settlement(nonce: string, settled: boolean): Promise<string> {
  const made = aSettlement({
    identity: `x402:${world.network}:eip3009:${PAYER}:${nonce}`,
    lookup: { network: world.network, asset: TOKEN, from: PAYER, nonce },
  });
  const { ledger } = world.test;
  await ledger.createSettlement(made);
  if (settled) {
    const {
      claimed: [claimed],
    } = await ledger.claimSettlements([made.id], 'a runner', 60_000);
    await ledger.recordAttempts([attempt(claimed!, DONE, 'a runner')]);
  }
  return `${world.network}/${TOKEN}/${PAYER}/${nonce}`;
}

beforeAll(async () => {
  temporal = await startConnectedTemporal();
  world = await openReconcileWorld(temporal, {
    settings: { TRANSFER_RETRY_MAX: '50', TRANSFER_RETRY_BACKOFF_BASE: '1s', TRANSFER_RETRY_BACKOFF_MAX: '1s' },
  });
  const { stripe, hyperswitch, mirror, chain } = world;

  // What agrees: nothing may be said of it.
  await sold('acct_quiet');
  await refunded('acct_quiet2');
  chain.use(NONCES[2]!);
  await settlement(NONCES[2]!, true);

  await stripe.seed({ transfers: [{ id: 'tr_nobodys', destination: 'acct_stranger', amount: 777 }] });
  planted.set('transfer_unknown', 'tr_nobodys');
  const lost = await sold('acct_lost');
  mirror.hidden.add(lost.transfer.stripeTransferId!);
  planted.set('transfer_missing', lost.transfer.stripeTransferId!);
  const other = await sold('acct_other');
  mirror.altered.set(other.transfer.stripeTransferId!, 999n);
  planted.set('transfer_differs', other.transfer.stripeTransferId!);

  const taken = await sold('acct_taken');
  planted.set('reversal_unknown', (await stripe.reverse(taken.transfer.stripeTransferId!, { amount: 100 })).id);
  const gone = await refunded('acct_gone');
  mirror.hidden.add(gone.reversal.stripeReversalId!);
  planted.set('reversal_missing', gone.reversal.stripeReversalId!);
  const less = await refunded('acct_less');
  mirror.altered.set(less.reversal.stripeReversalId!, 1n);
  planted.set('reversal_differs', less.reversal.stripeReversalId!);

  const bank = await sold('acct_bank');
  const { dispute } = await stripe.createDispute({ charge: await chargeOf(bank.payment.id) });
  planted.set('dispute_unknown', dispute.id);
  const vanished = await disputed('acct_vanished');
  mirror.hidden.add(vanished.dispute.providerDisputeId);
  planted.set('dispute_missing', vanished.dispute.providerDisputeId);
  const won = await disputed('acct_won');
  mirror.altered.set(won.dispute.providerDisputeId, 7n);
  planted.set('dispute_differs', won.dispute.providerDisputeId);

  const bankOf = async (seller: string) => {
    await sold(seller);
    return await stripe.createPayout({ account: seller, amount: 100, currency: 'usd', status: 'in_transit' });
  };
  planted.set('payout_unknown', (await bankOf('acct_untold')).id);
  for (const [kind, seller] of [
    ['payout_missing', 'acct_paidout'],
    ['payout_differs', 'acct_paidless'],
  ] as const) {
    const { id } = await bankOf(seller);
    const read = await world.atStripe.inLane('reconcile').readPayout(id, seller);
    if (read.kind !== 'found') throw new Error('no payout was made');
    await world.test.ledger.savePayout(read.value);
    planted.set(kind, id);
  }
  mirror.hidden.add(planted.get('payout_missing')!);
  mirror.altered.set(planted.get('payout_differs')!, 3n);

  const foreignId = `pay_${'f'.repeat(26)}`;
  await fetch(`${hyperswitch.url}/payments`, {
    method: 'POST',
    headers: { 'api-key': hyperswitch.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ payment_id: foreignId, amount: 4_200, currency: 'USD' }),
  });
  planted.set('payment_unknown', foreignId);
  const unpaid = await sold('acct_unpaid');
  mirror.hidden.add(unpaid.payment.hyperswitchPaymentId!);
  planted.set('payment_missing', unpaid.payment.hyperswitchPaymentId!);
  const odd = await sold('acct_odd');
  mirror.altered.set(odd.payment.hyperswitchPaymentId!, 5n);
  planted.set('payment_differs', odd.payment.hyperswitchPaymentId!);

  const back = await sold('acct_back');
  const byHand = await hyperswitch.refundInDashboard({ payment_id: back.payment.hyperswitchPaymentId!, amount: 300 });
  if ('problem' in byHand) throw new Error('no refund was made');
  planted.set('refund_unknown', byHand.refund.id);
  const forgotten = await refunded('acct_forgotten');
  mirror.hidden.add(forgotten.refund.hyperswitchRefundId!);
  planted.set('refund_missing', forgotten.refund.hyperswitchRefundId!);
  const failed = await refunded('acct_failed');
  mirror.altered.set(failed.refund.hyperswitchRefundId!, 2n);
  planted.set('refund_differs', failed.refund.hyperswitchRefundId!);

  planted.set('settlement_missing', await settlement(NONCES[0]!, true));
  chain.use(NONCES[1]!);
  planted.set('settlement_unknown', await settlement(NONCES[1]!, false));

  stripe.setFaults([
    { kinds: ['reset_before_commit'], on: ['transfers.create'], sellers: ['acct_stopped'], times: 1_000 },
  ]);
  const { id } = await world.world.paidOrder({ acct_stopped: 500n });
  const stopped = (await orderOf(id)).transfers[0]!;
  const workflowId = marketplaceWorkflowId('transfer', stopped.id);
  await until('it is at Stripe', async () => (await orderOf(id)).transfers[0]!.certainty === 'unknown', PATIENCE);
  await temporal.client.workflow.getHandle(workflowId).terminate('by somebody');
  planted.set('workflow_gone', workflowId);
  stripe.setFaults([]);

  found = await world.reconcile(new Date(world.test.clock.nowMs() - 7_200_000).toISOString());
}, 180_000);
afterAll(async () => {
  await world.close();
  await temporal.dispose();
});

it.each(DRIFT_KINDS)('finds %s in one run', (kind) => {
  expect(found.filter((drift) => drift.kind === kind).map(({ providerId }) => providerId)).toEqual([planted.get(kind)]);
});

it('finds nothing else', () => {
  expect(found.map(({ kind, providerId }) => `${kind} ${providerId}`).sort()).toEqual(
    [...planted].map(([kind, providerId]) => `${kind} ${providerId}`).sort(),
  );
});

it('started the terminated workflow again, and its money moved once', async () => {
  const moved = () => world.stripe.ledger().transfers.filter(({ destination }) => destination === 'acct_stopped');
  await until('the seller has its money', () => moved().length === 1, PATIENCE);
  const [drift] = found.filter(({ kind }) => kind === 'workflow_gone');
  expect(drift).toMatchObject({ state: 'closed', closedWhy: 'repaired' });
});

it('tells of it in the story of its item, and asks once however often it runs', async () => {
  const again = await world.reconcile(new Date(world.test.clock.nowMs() - 7_200_000).toISOString());
  const open = (drifts: readonly Drift[]) => drifts.filter(({ state }) => state === 'open').map(({ id }) => id);
  expect(open(again).sort()).toEqual(open(found).sort());
  const [lost] = found.filter(({ kind }) => kind === 'transfer_missing');
  const told = await world.test.database.query(
    `SELECT item_kind, kind FROM operation_events WHERE kind LIKE 'drift%' AND (item_id = $1 OR item_id = $2) ORDER BY seq`,
    [lost!.id, lost!.item!.id],
  );
  expect(told).toEqual([
    { item_kind: 'drift', kind: 'drift_found' },
    { item_kind: 'transfer', kind: 'drift_found' },
  ]);
});

const makegood = async (...args: readonly string[]) => {
  const out: string[] = [];
  const refused = await runMakegood(args, {
    env: {
      DATABASE_URL: world.test.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_TASK_QUEUE: world.world.taskQueue,
    },
    clock: world.test.clock,
    out: (line) => out.push(line),
    err: () => undefined,
  }).then(
    () => undefined,
    (error: Error) => error,
  );
  return { text: out.join('\n'), refused };
};

it.each(DRIFT_KINDS)('is told by explain: %s, by what it is called at its provider and by its item', async (kind) => {
  const drift = found.find((one) => one.kind === kind)!;
  for (const name of [drift.providerId, drift.item?.id ?? drift.id]) {
    const { text, refused } = await makegood('explain', name);
    expect(refused).toBeUndefined();
    expect(text).toContain(`drift ${drift.id}: ${kind}`);
    expect(text).toContain(`the ledger says: ${drift.ledgerSays}`);
  }
});

it('is told by makegood reconcile, which ends with a refusal while anything is open', async () => {
  const { text, refused } = await makegood('reconcile', '--json');
  const { ok, drift } = JSON.parse(text);
  expect(ok).toBe(false);
  expect(drift.map(({ kind }: Drift) => kind)).toEqual(
    expect.arrayContaining(DRIFT_KINDS.filter((kind) => !REPAIRED.has(kind))),
  );
  expect(refused).toBeInstanceOf(CommandRefused);
});

it('is in the API by kind, and in the metrics', async () => {
  const api = await startApi({ ledger: world.test.ledger });
  onTestFinished(() => api.close());
  const listed = await api.send('/api/v1/drift?state=open&kind=transfer_missing', { token: TOKENS.viewer });
  const missing = found.find(({ kind }) => kind === 'transfer_missing')!;
  expect(listed.body.items).toEqual([
    expect.objectContaining({ id: missing.id, item: missing.item, ledger_says: missing.ledgerSays, amount: '1000' }),
  ]);
  expect((await api.send(`/api/v1/drift/${missing.id}`, { token: TOKENS.viewer })).body.kind).toBe('transfer_missing');
  const runs = await api.send('/api/v1/reconciliations', { token: TOKENS.viewer });
  expect(runs.body.items[0]).toMatchObject({ state: 'finished' });
  expect(
    (
      await api.send(`/api/v1/drift/${missing.id}/accept`, {
        method: 'POST',
        token: TOKENS.viewer,
        json: { note: 'no' },
      })
    ).status,
  ).toBe(403);
  const { text } = await api.send('/metrics', { token: TOKENS.viewer });
  for (const kind of DRIFT_KINDS)
    expect(text).toContain(`makegood_drift_count{kind="${kind}"} ${REPAIRED.has(kind) ? 0 : 1}`);
});

it('closes what agrees again, and does not ask of what a person has accepted', async () => {
  const { mirror, test } = world;
  mirror.hidden.clear();
  mirror.altered.clear();
  const strangers = found.find(({ kind }) => kind === 'transfer_unknown')!;
  expect(
    await test.ledger.acceptDrift({
      ...strangers,
      by: 'ann',
      authenticated: true,
      approves: false,
      note: 'an advance, made in the dashboard',
    }),
  ).toMatchObject({
    kind: 'accepted',
  });
  const left = await world.reconcile(new Date(test.clock.nowMs() - 7_200_000).toISOString());
  const kinds = left.filter(({ state }) => state === 'open').map(({ kind }) => kind);
  expect(kinds.filter((kind) => /_missing|transfer_/.test(kind) && kind !== 'settlement_missing')).toEqual([]);
  expect(await test.ledger.findDrift(strangers.id)).toMatchObject({
    state: 'closed',
    closedWhy: 'accepted',
    closedBy: 'ann',
  });
});
