import { describe, expect, it } from 'vitest';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { json, startAnswering } from '../../support/answering-server.js';
import { hyperswitchSandbox } from '../../support/marketplace/hyperswitch-sandbox.js';
import { AT_ONCE } from '../../support/stand-ins.js';

const PAY = hyperswitchPaymentId('order-1');
const MADE = { payment_intent: { id: 'pi_there' }, charge: { id: 'ch_there' }, refund: { id: 're_there' } };
type There = { readonly status: string; readonly booked: readonly number[] };

/** A Hyperswitch before a Stripe that does whatever it is told, and remembers it; disputes there are what `there` says. */
async function linked(options: Parameters<typeof hyperswitchSandbox>[0] = {}, statuses: readonly number[] = [200]) {
  let there: There = { status: 'needs_response', booked: [-500] };
  const queue = Array.from(statuses);
  const server = await startAnswering((response, received) => {
    const dispute = {
      id: 'dp_there',
      status: there.status,
      balance_transactions: there.booked.map((amount) => ({ amount })),
    };
    json((queue.length > 1 ? queue.shift() : queue[0]) ?? 200, { ...MADE, dispute })(response, received);
  });
  const world = await hyperswitchSandbox({ stripe: { url: server.url }, ...options });
  const told = () => server.received.map(({ path, body }) => [path, JSON.parse(body) as unknown] as const);
  return {
    ...world,
    told,
    disputesAre: (next: There) => {
      there = next;
    },
  };
}

describe('without a Stripe behind it', () => {
  it('ids are made up as soon as the connector is asked, and stay', async () => {
    const { sandbox, call, createPayment, createRefund } = await hyperswitchSandbox();
    const shown = async () => (await call('GET', `/payments/${PAY}`)).json.connector_transaction_id;
    await createPayment('order-1');
    expect(await shown()).toBeNull();
    await sandbox.movePayment(PAY, { to: 'cancelled' });
    expect(await shown()).toBeNull();
    await sandbox.movePayment(PAY, { to: 'processing' });
    const id = await shown();
    expect(id).toMatch(/^pi_3[0-9a-z]{23}$/);
    await sandbox.movePayment(PAY, { to: 'succeeded' });
    expect(await shown()).toBe(id);
    await createRefund('refund-1', PAY, 600n);
    const [pending] = sandbox.ledger().refunds;
    expect(pending?.connectorRefundId).toMatch(/^re_3[0-9a-z]{23}$/);
    await sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to: 'succeeded' });
    expect(sandbox.ledger().refunds).toMatchObject([{ connectorRefundId: pending?.connectorRefundId }]);
  });

  it('a scheduled refund that nobody carries out has none', async () => {
    const { sandbox, call, paid } = await hyperswitchSandbox();
    await call('POST', '/refunds', { payment_id: await paid('order-1') });
    expect(sandbox.ledger().refunds).toMatchObject([{ connectorRefundId: null }]);
  });

  it('the way the buyer pays shows', async () => {
    const { sandbox, call, createPayment } = await hyperswitchSandbox();
    await createPayment('order-1');
    for (const [method, shown] of [
      ['sepa_debit', 'bank_debit'],
      ['ideal', 'bank_redirect'],
      ['card', 'card'],
    ] as const) {
      await sandbox.movePayment(PAY, { to: 'succeeded', method });
      expect((await call('GET', `/payments/${PAY}`)).json.payment_method).toBe(shown);
    }
  });
});

describe('with a Stripe behind it', () => {
  it('captures there once, under the id it had, with the metadata of the connector', async () => {
    const { sandbox, call, createPayment, told } = await linked();
    await createPayment('order-1');
    await sandbox.movePayment(PAY, { to: 'requires_capture' });
    const authorised = sandbox.ledger().payments[0]?.transactionId;
    expect(told()).toEqual([]);
    await sandbox.movePayment(PAY, { to: 'succeeded', method: 'sepa_debit', settles_in: 'EUR' });
    await sandbox.movePayment(PAY, { to: 'processing' });
    await sandbox.movePayment(PAY, { to: 'succeeded' });
    expect(told()).toEqual([
      [
        '/control/captures',
        {
          amount: 6540,
          currency: 'usd',
          payment_intent: authorised,
          method: 'sepa_debit',
          settles_in: 'eur',
          metadata: { order_id: '"order-1"', payment_id: '"payment of order-1"' },
        },
      ],
    ]);
    expect((await call('GET', `/payments/${PAY}`)).json.connector_transaction_id).toBe('pi_there');
    expect(sandbox.ledger().payments).toMatchObject([{ chargeId: 'ch_there' }]);
  });

  it('captures a part, and what the processor knows while Hyperswitch does not', async () => {
    const { sandbox, createPayment, told } = await linked();
    await createPayment('order-1');
    await sandbox.movePayment(PAY, { to: 'partially_captured', received: 300 });
    await createPayment('order-2');
    await sandbox.movePayment(hyperswitchPaymentId('order-2'), { to: 'succeeded', seen: false });
    expect(told().map(([, body]) => body)).toMatchObject([{ amount: 300 }, { amount: 6540 }]);
  });

  it('gives back there what is given back here, each refund by its id', async () => {
    const { sandbox, paid, createRefund, told } = await linked();
    await paid('order-1');
    await createRefund('refund-1', PAY, 600n);
    const ref = hyperswitchRefundId('refund-1');
    for (const to of ['review', 'succeeded', 'succeeded', 'failed'] as const) await sandbox.moveRefund(ref, { to });
    await sandbox.refundInDashboard({ payment_id: PAY, amount: 40 });
    expect(told().slice(1)).toEqual([
      [
        '/control/refunds',
        {
          charge: 'ch_there',
          amount: 600,
          status: 'pending',
          metadata: { order_id: ref, is_refund_id_as_reference: 'true' },
        },
      ],
      ['/control/refunds/re_there', { status: 'succeeded' }],
      ['/control/refunds/re_there', { status: 'failed' }],
      ['/control/refunds', expect.objectContaining({ amount: 40, status: 'succeeded' })],
    ]);
  });

  it('does at once there what happens at once here, and only once when it is asked for twice together', async () => {
    const { sandbox, createPayment, createRefund, told } = await linked({ auto: AT_ONCE });
    await createPayment('order-1');
    expect(await createRefund('refund-1', PAY, 600n)).toMatchObject({ value: { status: 'succeeded' } });
    await createPayment('order-2');
    sandbox.setAuto({});
    await createPayment('order-3');
    const third = hyperswitchPaymentId('order-3');
    const first = sandbox.movePayment(third, { to: 'succeeded' });
    await sandbox.movePayment(third, { to: 'succeeded' });
    await first;
    expect(told().map(([path]) => path)).toEqual([
      '/control/captures',
      '/control/refunds',
      '/control/captures',
      '/control/captures',
    ]);
    expect(told()[1]?.[1]).toMatchObject({ status: 'succeeded' });
  });

  it('opens and moves disputes there first', async () => {
    const { sandbox, call, paid, told, disputesAre } = await linked();
    await paid('order-1');
    const opened = await call('POST', '/control/disputes', { payment_id: PAY, amount: 500, fee: 1500 });
    expect(opened.json).toMatchObject({ dispute: { connectorDisputeId: 'dp_there', status: 'dispute_lost' } });
    const { id = '' } = sandbox.ledger().disputes[0] ?? {};
    await call('PUT', `/control/disputes/${id}`, { move: 'reinstate', amount: 200, fee_back: 1500 });
    // Said of it, not done: no move, nothing to do there.
    await call('PUT', `/control/disputes/${id}`, { status: 'dispute_expired' });
    disputesAre({ status: 'warning_needs_response', booked: [] });
    await sandbox.openDispute({ payment_id: PAY, stage: 'pre_dispute' });
    expect(told().slice(1)).toEqual([
      ['/control/disputes', { charge: 'ch_there', amount: 500, inquiry: false, fee: 1500 }],
      ['/control/disputes/dp_there', { move: 'reinstate', amount: 200, fee_back: 1500 }],
      ['/control/disputes', { charge: 'ch_there', amount: 6540, inquiry: true }],
    ]);
  });

  it('hears of funds that moved there, and of none that did not', async () => {
    const { sandbox, paid, disputesAre } = await linked();
    await paid('order-1');
    disputesAre({ status: 'warning_needs_response', booked: [] });
    await sandbox.openDispute({ payment_id: PAY, inquiry: true });
    const { id = '' } = sandbox.ledger().disputes[0] ?? {};
    const heard = async (move: 'escalate' | 'win' | 'lose', there: There) => {
      disputesAre(there);
      return (await sandbox.changeDispute(id, { move }))?.heard.map(({ event }) => event);
    };
    // Of who gave everything back by himself nothing is withdrawn.
    expect(await heard('escalate', { status: 'needs_response', booked: [] })).toEqual(['charge.dispute.updated']);
    expect(await heard('win', { status: 'won', booked: [] })).toEqual(['charge.dispute.closed']);
    expect(await heard('lose', { status: 'lost', booked: [-500] })).toEqual([
      'charge.dispute.closed',
      'charge.dispute.funds_withdrawn',
    ]);
    expect(await heard('win', { status: 'won', booked: [-500, 500] })).toEqual([
      'charge.dispute.closed',
      'charge.dispute.funds_reinstated',
    ]);
    expect(sandbox.ledger().disputes).toMatchObject([{ status: 'dispute_cancelled', atStripe: { status: 'won' } }]);
  });

  it('fails a refund that is refused there, as Hyperswitch does, and leaves one that is not answered', async () => {
    const { sandbox, paid, createRefund } = await linked({ auto: { refund: AT_ONCE.refund } }, [200, 400, 503]);
    await paid('order-1');
    expect(await createRefund('refund-1', PAY, 600n)).toMatchObject({ value: { status: 'failed' } });
    expect(await createRefund('refund-2', PAY, 600n)).toMatchObject({ kind: 'unclear' });
    const statuses = sandbox.ledger().refunds.map(({ id, status }) => [id, status]);
    expect(statuses).toContainEqual([hyperswitchRefundId('refund-1'), 'failed']);
    expect(statuses).toContainEqual([hyperswitchRefundId('refund-2'), 'pending']);
  });

  it('gives the rest back there when a captured payment is called off', async () => {
    const { call, paid, createRefund, told } = await linked();
    await paid('order-1');
    await createRefund('refund-1', PAY, 600n);
    expect(await call('POST', `/payments/${PAY}/cancel_post_capture`, {})).toMatchObject({
      status: 200,
      json: { status: 'cancelled_post_capture' },
    });
    expect(told().at(-1)).toMatchObject([
      '/control/refunds',
      { charge: 'ch_there', amount: 5940, status: 'succeeded' },
    ]);
    const again = await call('POST', `/payments/${PAY}/cancel_post_capture`, {});
    expect(again).toMatchObject({
      status: 400,
      json: {
        error: {
          code: 'IR_16',
          message: 'You cannot cancel_post_capture this payment because it has status cancelled_post_capture',
        },
      },
    });
    expect(told()).toHaveLength(3);
  });

  it('moves nothing where that does not do it, and says so', async () => {
    const { sandbox, call, createPayment } = await linked({}, [400]);
    await createPayment('order-1');
    const moved = await call('PUT', `/control/payments/${PAY}`, { to: 'succeeded' });
    expect(moved).toMatchObject({
      status: 502,
      json: { error: { message: expect.stringMatching(/400 to \/captures/) } },
    });
    sandbox.setAuto({ pay: { to: 'succeeded', afterMs: 0 } });
    expect(await createPayment('order-2')).toMatchObject({ kind: 'unclear' });
    expect(sandbox.ledger().payments).toMatchObject([
      { status: 'requires_payment_method', received: 0 },
      { status: 'requires_payment_method', received: 0 },
    ]);
  });
});

describe('a captured payment that is called off', () => {
  it('is told of as such', async () => {
    const { sandbox, call, paid } = await hyperswitchSandbox();
    await paid('order-1');
    await call('POST', `/payments/${PAY}/cancel_post_capture`, { cancellation_reason: 'requested_by_customer' });
    expect(sandbox.webhooks().map(({ type }) => type)).toEqual(['payment_succeeded', 'payment_cancelled_post_capture']);
    expect(sandbox.calls().totals.byEndpoint['payments.cancel_post_capture']).toBe(1);
  });

  it.each(['requires_payment_method', 'processing', 'requires_capture', 'failed'] as const)(
    'was not %s',
    async (to) => {
      const { sandbox, call, createPayment } = await hyperswitchSandbox();
      await createPayment('order-1');
      await sandbox.movePayment(PAY, { to });
      const answer = await call('POST', `/payments/${PAY}/cancel_post_capture`, {});
      expect(answer).toMatchObject({ status: 400, json: { error: { code: 'IR_16' } } });
    },
  );
});

describe('several merchants', () => {
  it('each have a key, and see what is theirs', async () => {
    const { sandbox, call, paid, createPayment } = await hyperswitchSandbox();
    const other = { 'api-key': 'key of another' };
    expect(await call('GET', '/disputes/list', undefined, other)).toMatchObject({ status: 401 });
    await call('PUT', '/control/key', {
      apiKey: 'key of another',
      merchantId: 'merchant_other',
      profileId: 'pro_other',
    });
    const mine = await paid('order-1');
    const made = await call('POST', '/payments', { amount: 900, currency: 'USD' }, other);
    const theirs = String(made.json.payment_id);
    expect(made.json).toMatchObject({ merchant_id: 'merchant_other', profile_id: 'pro_other' });
    await sandbox.movePayment(theirs, { to: 'succeeded' });
    for (const id of [mine, theirs]) await sandbox.openDispute({ payment_id: id });
    await sandbox.refundInDashboard({ payment_id: theirs, amount: 100 });
    const [ours, foreign] = sandbox.ledger().disputes;
    const listed = async (headers: Record<string, string>) =>
      (JSON.parse((await call('GET', '/disputes/list', undefined, headers)).text) as { profile_id: string }[]).map(
        ({ profile_id: profile }) => profile,
      );
    expect(await listed({})).toEqual(['pro_sandbox']);
    expect(await listed(other)).toEqual(['pro_other']);
    expect(await call('GET', `/disputes/${foreign?.id}`)).toMatchObject({ status: 404 });
    expect(await call('GET', `/disputes/${ours?.id}`, undefined, other)).toMatchObject({ status: 404 });
    expect(await call('GET', `/payments/${theirs}`)).toMatchObject({ status: 404 });
    expect(await call('POST', `/payments/${theirs}/cancel_post_capture`, {})).toMatchObject({ status: 404 });
    const merchants = sandbox
      .webhooks()
      .map(({ type, body }) => [type, (JSON.parse(body) as { merchant_id: string }).merchant_id]);
    expect(merchants).toContainEqual(['dispute_lost', 'merchant_other']);
    expect(merchants).toContainEqual(['refund_succeeded', 'merchant_other']);
    expect(merchants).toContainEqual(['dispute_lost', 'merchant_sandbox']);
    await sandbox.reset();
    expect(await call('GET', '/disputes/list', undefined, other)).toMatchObject({ status: 401 });
    await createPayment('order-1');
    expect(sandbox.ledger().payments).toMatchObject([{ owner: { merchantId: 'merchant_sandbox' } }]);
  });

  it('have profiles, and what becomes of a payment is its profile’s', async () => {
    const { sandbox, call } = await hyperswitchSandbox();
    const made = await call('POST', '/payments', { amount: 900, currency: 'USD', profile_id: 'pro_second' });
    expect(made.json).toMatchObject({ merchant_id: 'merchant_sandbox', profile_id: 'pro_second' });
    const id = String(made.json.payment_id);
    await sandbox.movePayment(id, { to: 'succeeded' });
    await sandbox.openDispute({ payment_id: id });
    const refund = await call('POST', '/refunds', { payment_id: id, amount: 100, refund_type: 'instant' });
    expect(refund.json).toMatchObject({ profile_id: 'pro_second' });
    const listed = await call('GET', '/disputes/list?profile_id=pro_second');
    expect(JSON.parse(listed.text)).toMatchObject([{ payment_id: id, profile_id: 'pro_second' }]);
  });
});
