import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { STRIPE_EVENTS } from '../../../sandbox/hyperswitch/connector/stripe-disputes.js';
import { startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import { verifyHyperswitchWebhook } from '../../../src/providers/hyperswitch/webhook.js';
import { hyperswitchSandbox, webhookReceiver } from '../../support/marketplace/hyperswitch-sandbox.js';

async function disputed(options: Parameters<typeof hyperswitchSandbox>[0] = {}) {
  const world = await hyperswitchSandbox(options);
  const pay = await world.paid('order-1');
  const open = async (order: Partial<Parameters<typeof world.sandbox.openDispute>[0]> = {}) => {
    const opened = await world.sandbox.openDispute({ payment_id: pay, ...order });
    if ('problem' in opened) throw new Error(opened.problem.message);
    return opened;
  };
  const read = async (id: string) => (await world.call('GET', `/disputes/${id}`)).json;
  return { ...world, pay, open, read };
}

describe('a dispute of a payment at Stripe', () => {
  it('is lost as soon as its funds are withdrawn, and stays it when they come back, as with the real one', async () => {
    const { sandbox, pay, open, read } = await disputed();
    const { dispute, heard } = await open({ amount: 600 });
    expect(heard).toEqual([
      { event: 'charge.dispute.created', as: 'dispute_opened', kept: true },
      { event: 'charge.dispute.funds_withdrawn', as: 'dispute_lost', kept: true },
    ]);
    expect(await read(dispute.id)).toMatchObject({
      dispute_id: expect.stringMatching(/^dp_[0-9a-z]{20}$/),
      payment_id: pay,
      attempt_id: `${pay}_1`,
      amount: '600',
      currency: 'USD',
      dispute_stage: 'dispute',
      dispute_status: 'dispute_lost',
      connector_status: 'NeedsResponse',
      connector_dispute_id: expect.stringMatching(/^dp_3[0-9a-z]{23}$/),
      profile_id: 'pro_sandbox',
    });
    const won = await sandbox.changeDispute(dispute.id, { move: 'win' });
    expect(won?.heard).toEqual([
      { event: 'charge.dispute.closed', as: 'dispute_cancelled', kept: false },
      { event: 'charge.dispute.funds_reinstated', as: 'dispute_won', kept: false },
    ]);
    expect(await read(dispute.id)).toMatchObject({ dispute_status: 'dispute_lost', connector_status: 'NeedsResponse' });
    expect(sandbox.ledger().disputes).toMatchObject([{ atStripe: { status: 'won' } }]);
  });

  it('takes nothing while it is an inquiry, whatever its stage is called, and can become a chargeback', async () => {
    const { sandbox, open, read } = await disputed();
    const { dispute } = await open({ inquiry: true });
    expect(await read(dispute.id)).toMatchObject({
      dispute_stage: 'dispute',
      dispute_status: 'dispute_opened',
      connector_status: 'WarningNeedsResponse',
      amount: '6540',
    });
    await sandbox.changeDispute(dispute.id, { move: 'respond' });
    expect(await read(dispute.id)).toMatchObject({
      dispute_status: 'dispute_challenged',
      connector_status: 'WarningUnderReview',
    });
    const escalated = await sandbox.changeDispute(dispute.id, { move: 'escalate' });
    expect(escalated?.heard).toEqual([
      { event: 'charge.dispute.updated', as: null, kept: false },
      { event: 'charge.dispute.funds_withdrawn', as: 'dispute_lost', kept: true },
    ]);
  });

  it('that was an inquiry and is closed is cancelled, unless somebody had responded: then it stays challenged', async () => {
    const { sandbox, open, read } = await disputed();
    const [silent, answered] = [await open({ inquiry: true }), await open({ inquiry: true })];
    await sandbox.changeDispute(answered.dispute.id, { move: 'respond' });
    for (const { dispute } of [silent, answered]) await sandbox.changeDispute(dispute.id, { move: 'close_inquiry' });
    expect(await read(silent.dispute.id)).toMatchObject({
      dispute_status: 'dispute_cancelled',
      connector_status: 'WarningClosed',
    });
    expect(await read(answered.dispute.id)).toMatchObject({ dispute_status: 'dispute_challenged' });
  });

  it.each([
    ['withdraw', 'dispute_lost'],
    ['reinstate', 'dispute_won'],
    ['lose', 'dispute_cancelled'],
    ['prevent', 'dispute_cancelled'],
  ] as const)('%s of an open one makes it %s', async (move, status) => {
    const { sandbox, open, read } = await disputed();
    const { dispute } = await open({ events: ['charge.dispute.created'] });
    await sandbox.changeDispute(dispute.id, { move });
    expect(await read(dispute.id)).toMatchObject({ dispute_status: status });
  });

  it('that is prevented is one of no word that the connector knows, and one that is decided again withdraws again', async () => {
    const { sandbox, open, read } = await disputed();
    const { dispute: prevented } = await open({ inquiry: true });
    await sandbox.changeDispute(prevented.id, { move: 'prevent' });
    expect(await read(prevented.id)).toMatchObject({
      dispute_status: 'dispute_cancelled',
      connector_status: 'Unknown',
    });
    const { dispute } = await open();
    await sandbox.changeDispute(dispute.id, { move: 'win' });
    expect((await sandbox.changeDispute(dispute.id, { move: 'lose' }))?.heard).toEqual([
      { event: 'charge.dispute.closed', as: 'dispute_cancelled', kept: false },
      { event: 'charge.dispute.funds_withdrawn', as: 'dispute_lost', kept: true },
    ]);
  });

  it('is not there before Hyperswitch hears of it, and is what it hears first', async () => {
    const { sandbox, call, pay, open } = await disputed();
    const { dispute } = await open({ events: [] });
    expect(await call('GET', `/disputes/${dispute.id}`)).toMatchObject({
      status: 404,
      json: { error: { code: 'HE_04' } },
    });
    expect((await call('GET', `/payments/${pay}`)).json.disputes).toBeNull();
    expect((await call('GET', '/disputes/list')).text).toBe('[]');
    const late = await sandbox.changeDispute(dispute.id, {
      events: ['charge.dispute.funds_withdrawn', 'charge.dispute.created'],
    });
    expect(late?.heard.map(({ kept }) => kept)).toEqual([true, false]);
    expect((await call('GET', `/payments/${pay}`)).json.disputes).toMatchObject([{ dispute_status: 'dispute_lost' }]);
  });

  it('keeps the first end it hears of, in whatever order events come and however often', async () => {
    const { sandbox, open } = await disputed();
    const ended = new Set(['dispute_lost', 'dispute_won', 'dispute_cancelled']);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STRIPE_EVENTS), { minLength: 1, maxLength: 12 }), async (events) => {
        const { dispute, heard } = await open({ events });
        const first = heard.find(({ as, kept }) => kept && as !== null && ended.has(as));
        const now = sandbox.ledger().disputes.find(({ id }) => id === dispute.id)?.status ?? null;
        if (first !== undefined) expect(now).toBe(first.as);
        else expect([null, 'dispute_opened']).toContain(now);
      }),
    );
  });
});

describe('a dispute of another connector', () => {
  it('is whatever is said of it, stage by stage, and nothing judges that', async () => {
    const { sandbox, open, read } = await disputed();
    const { dispute, heard } = await open({ stage: 'pre_dispute', connector_status: 'NOTIFICATION_OF_CHARGEBACK' });
    expect(heard).toEqual([]);
    expect(await read(dispute.id)).toMatchObject({
      dispute_stage: 'pre_dispute',
      dispute_status: 'dispute_opened',
      connector_status: 'NOTIFICATION_OF_CHARGEBACK',
    });
    for (const status of ['dispute_accepted', 'dispute_lost', 'dispute_won', 'dispute_expired'] as const) {
      await sandbox.changeDispute(dispute.id, { status, stage: 'arbitration' });
      expect(await read(dispute.id)).toMatchObject({ dispute_status: status, dispute_stage: 'arbitration' });
    }
  });
});

describe('what is told of a dispute', () => {
  it('is an event called as its status, with the dispute in it, once a status', async () => {
    const { received, url } = await webhookReceiver();
    const { sandbox, pay, open } = await disputed({ webhooks: { url, secret: 'k', retryMs: [] } });
    const { dispute } = await open({ inquiry: true });
    for (const move of ['respond', 'respond', 'escalate', 'lose'] as const)
      await sandbox.changeDispute(dispute.id, { move });
    await expect.poll(() => received).toHaveLength(4);
    const told = received.map(({ body, signature }) => {
      expect(verifyHyperswitchWebhook(body, signature, ['k'])).not.toBeNull();
      return JSON.parse(body.toString()) as { event_type: string; content: unknown; merchant_id: string };
    });
    expect(told.map(({ event_type: type }) => type).sort()).toEqual([
      'dispute_challenged',
      'dispute_lost',
      'dispute_opened',
      'payment_succeeded',
    ]);
    expect(told.find(({ event_type: type }) => type === 'dispute_lost')).toMatchObject({
      merchant_id: 'merchant_sandbox',
      content: { type: 'dispute_details', object: { dispute_id: dispute.id, payment_id: pay, amount: '6540' } },
    });
  });

  it('can be held and lost like every other event', async () => {
    const { received, url } = await webhookReceiver();
    const rules = [
      { what: 'held' as const, on: ['dispute_opened'] },
      { what: 'lost' as const, on: ['dispute_lost'] },
    ];
    const { sandbox, open } = await disputed({ webhooks: { url, rules } });
    await open();
    await expect.poll(() => received).toHaveLength(1);
    await sandbox.releaseWebhooks(false);
    expect(received).toHaveLength(2);
    expect(sandbox.webhooks().map(({ type, mishap }) => [type, mishap])).toEqual([
      ['payment_succeeded', null],
      ['dispute_opened', 'held'],
      ['dispute_lost', 'lost'],
    ]);
  });
});

describe('the list of disputes', () => {
  it('is filtered by what the code reads, newest change first, page by page', async () => {
    let nowMs = Date.parse('2026-11-30T00:00:00Z');
    const { sandbox, call, paid, open, pay } = await disputed({ clock: { nowMs: () => (nowMs += 1_000) } });
    const other = await paid('order-2');
    const { dispute: first } = await open({ inquiry: true });
    const { dispute: second } = await open({ amount: 100, reason: 'fraudulent' });
    const third = await open({ payment_id: other, stage: 'pre_arbitration' });
    const ids = async (query: string) => {
      const { status, text } = await call('GET', `/disputes/list${query}`);
      expect({ query, status }).toEqual({ query, status: 200 });
      return (JSON.parse(text) as { dispute_id: string }[]).map(({ dispute_id: id }) => id);
    };
    const all = [third.dispute.id, second.id, first.id];
    expect(await ids('')).toEqual(all);
    expect(await ids(`?payment_id=${pay}`)).toEqual(all.slice(1));
    expect(await ids(`?payment_id=${pay}&limit=1`)).toEqual([second.id]);
    expect(await ids('?limit=1&offset=2')).toEqual([first.id]);
    expect(await ids('?limit=0')).toEqual(all.slice(0, 1));
    expect(await ids('?dispute_status=dispute_lost,dispute_won')).toEqual([second.id]);
    expect(await ids('?dispute_stage=pre_arbitration')).toEqual([third.dispute.id]);
    expect(await ids('?reason=fraudulent&connector=stripe,adyen&currency=USD')).toEqual([second.id]);
    expect(await ids('?connector=adyen')).toEqual([]);
    expect(await ids('?profile_id=pro_other')).toEqual([]);
    expect(await ids(`?dispute_id=${first.id}&merchant_connector_id=mca_sandbox`)).toEqual([first.id]);
    const from = new Date(sandbox.ledger().disputes[2]?.createdMs ?? 0).toISOString();
    expect(await ids(`?start_time=${from}`)).toEqual([third.dispute.id]);
    expect(await ids(`?end_time=${from}`)).toEqual(all);
    await sandbox.changeDispute(first.id, { move: 'respond' });
    expect((await ids(''))[0]).toBe(first.id);
    for (let n = 0; n < 10; n += 1) await open();
    expect(await ids('')).toHaveLength(10);
  });

  it.each(['received_time.gte=2026-11-30T00:00:00Z', 'dispute_status=lost', 'limit=x', 'start_time=yesterday'])(
    'does not read %s',
    async (query) => {
      const { call } = await hyperswitchSandbox();
      expect(await call('GET', `/disputes/list?${query}`)).toMatchObject({
        status: 400,
        json: { error: { code: 'IR_06' } },
      });
    },
  );
});

describe('a dispute at the sandbox', () => {
  it('cannot be synchronised while it is open: the connector has no such flow', async () => {
    const { call, open } = await disputed();
    const { dispute: inquiry } = await open({ inquiry: true });
    const { dispute: lost } = await open();
    const sync = (id: string) => call('GET', `/disputes/${id}?force_sync=true`);
    expect(await sync(inquiry.id)).toMatchObject({ status: 500, json: { error: { code: 'CE_00' } } });
    expect(await sync(lost.id)).toMatchObject({ status: 200, json: { dispute_status: 'dispute_lost' } });
    expect(await call('GET', `/disputes/${lost.id}?force_sync=maybe`)).toMatchObject({ status: 400 });
  });

  it('needs a payment of which something is captured', async () => {
    const { sandbox, call, createPayment } = await hyperswitchSandbox();
    await createPayment('order-1');
    const [payment] = sandbox.ledger().payments;
    const order = { payment_id: payment?.id };
    expect(await call('POST', '/control/disputes', order)).toMatchObject({ status: 409 });
    expect(await call('POST', '/control/disputes', { payment_id: 'pay_unknown' })).toMatchObject({ status: 409 });
    expect(await call('PUT', '/control/disputes/dp_unknown', { move: 'win' })).toMatchObject({ status: 404 });
    expect(await call('PUT', '/control/disputes/dp_unknown', { move: 'forget' })).toMatchObject({ status: 400 });
  });

  it('outlives a restart, and is forgotten by a reset', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'makegood-hyperswitch-'));
    onTestFinished(() => rm(stateDir, { recursive: true }));
    const { sandbox, open, pay } = await disputed({ stateDir });
    const { dispute } = await open();
    await open({ events: [] });
    const before = sandbox.ledger().disputes;
    await sandbox.close();
    const second = await startHyperswitchSandbox({ stateDir });
    expect(second.ledger().disputes).toEqual(before);
    expect(second.ledger().payments).toMatchObject([{ id: pay, transactionId: expect.stringMatching(/^pi_/) }]);
    await second.changeDispute(dispute.id, { status: 'dispute_won' });
    await second.reset();
    expect(second.ledger().disputes).toEqual([]);
    await second.close();
  });
});
