import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { newDecisionId } from '../../../src/domain/ids.js';
import { authServerOf } from '../../../src/domain/settlements/settlement-providers.js';
import { aSettlement } from '../../support/ledger-fixtures.js';
import { type MarketplaceCli, openMarketplaceCli } from '../../support/marketplace/cli.js';
import { forceColumns, type OrderPut, unique } from '../../support/marketplace/fixtures.js';

let terminal: MarketplaceCli;
let order: OrderPut;
beforeAll(async () => {
  terminal = await openMarketplaceCli();
  order = await terminal.put();
});
afterAll(() => terminal.close());
const explain = (id: string) => terminal.makegood('explain', id);
const json = (id: string) => terminal.json('explain', id);
const query = (sql: string, values: readonly unknown[]) => terminal.test.database.query(sql, [...values]);

describe('makegood explain', () => {
  it('says of a stuck reversal where the money is, why, what happens next and what can be done', async () => {
    const id = order.reversals[1]?.id as string;
    const text = await explain(id);
    expect(text).toMatch(
      new RegExp(`^reversal ${id}: 200 USD \\(minor units\\), permanently_failed \\(money: absent\\)$`, 'm'),
    );
    expect(text).toMatch(/^where the money is: with the seller: it has not been taken back$/m);
    expect(text).toMatch(
      /^why: it could not be taken back\. A person is asked since .*\(retries_exhausted\): every attempt failed$/m,
    );
    expect(text).toMatch(/^what happens next: a person decides/m);
    expect(text).toMatch(/^ {2}retry: looks at Stripe's records/m);
    expect(text).toMatch(/^runbook: docs\/runbooks\/reversal-permanently-failed\.md$/m);
    expect(await json(id)).toMatchObject({
      kind: 'reversal',
      id,
      status: 'permanently_failed',
      certainty: 'absent',
      money: { with: ['seller'] },
      decisions: [{ action: 'retry' }, { action: 'adopt' }, { action: 'write_off' }],
      runbook: 'docs/runbooks/reversal-permanently-failed.md',
    });
  });

  it("says of an order each party's share, and how every part of it stands", async () => {
    const answer = await json(order.id);
    expect(answer).toMatchObject({
      kind: 'order',
      status: 'partially_refunded',
      amount: 1_000,
      shares: [
        { party: 'buyer', has: 500 },
        { party: 'seller', account: 'acct_a' },
        { party: 'seller', account: 'acct_b', to_give_back: 200 },
        { party: 'platform' },
      ],
    });
    expect(answer.parts).toHaveLength(1 + 1 + 2 + 2);
    const text = await explain(order.id);
    expect(text).toMatch(/^ {2}seller acct_b: has 400, 200 to be taken back$/m);
    expect(text).toMatch(new RegExp(`^ {2}makegood explain ${order.reversals[1]?.id} \\(docs/runbooks/`, 'm'));
  });

  it('names the decision that waits for its second person', async () => {
    const settlement = aSettlement({ body: null, undecodable: 'it is not JSON', cap: null });
    await terminal.test.ledger.createSettlement(settlement);
    await terminal.makegood('resolve', settlement.id, 'settled', '--note', 'seen', '--tx-hash', '0xabc');
    const { decision_id: decision } = (await query('SELECT id AS decision_id FROM decisions WHERE item_id = $1', [
      settlement.id,
    ]).then(([row]) => row)) as { decision_id: string };
    const answer = await json(decision);
    expect(answer).toMatchObject({ kind: 'settlement', id: settlement.id, attention: { reason: 'approval_pending' } });
    expect(answer.decisions).toMatchObject([{ action: 'approve', command: `makegood approve ${decision} --note "…"` }]);
  });

  it('says that a charge waits while its provider is not called', async () => {
    const settlement = aSettlement();
    await terminal.test.ledger.createSettlement(settlement);
    const provider = authServerOf(settlement.protocol);
    await query(`SELECT park_provider($1, 'HTML')`, [provider]);
    try {
      expect((await json(settlement.id)).next).toMatch(/^waits until auth-server:\S+ answers as we know it again/);
    } finally {
      await query(`SELECT note_provider($1, 'ok', NULL)`, [provider]);
    }
  });

  it('refuses what nothing is called', async () => {
    await expect(explain('tr_nothing')).rejects.toThrow(CommandRefused);
  });
});

describe('an id', () => {
  const named = async (id: string) => {
    const { kind, id: own } = await json(id);
    return `${kind} ${own}`;
  };

  it('is ours, a workflow, a key, or a name at Stripe, Hyperswitch or the processor', async () => {
    const [transfer, reversal, refund] = [order.transfers[0], order.reversals[0], order.refunds[0]];
    const { database } = terminal.test;
    await forceColumns(database, 'payments', order.paymentId, {
      connector_transaction_id: 'pi_known',
      charge_of: 'pi_known',
      charge_id: 'ch_known',
      charge_currency: 'USD',
    });
    await forceColumns(database, 'refunds', refund?.id as string, { connector_refund_id: 're_known' });
    await forceColumns(database, 'reversals', reversal?.id as string, { provider_request_id: 'req_last' });
    await query(
      `INSERT INTO operation_events (item_kind, item_id, kind, detail) VALUES ('reversal', $1, 'answered', '{"request_id":"req_first"}')`,
      [reversal?.id],
    );
    await query(
      `INSERT INTO foreign_reversals (stripe_reversal_id, transfer_id, amount) VALUES ('trr_foreign', $1, 1)`,
      [transfer?.id],
    );
    const cases: readonly (readonly [string | null | undefined, string])[] = [
      [order.id, `order ${order.id}`],
      [order.id.toUpperCase(), `order ${order.id}`],
      [`transfer/${transfer?.id}`, `transfer ${transfer?.id}`],
      [`${transfer?.id}:g2`, `transfer ${transfer?.id}`],
      [transfer?.stripeTransferId, `transfer ${transfer?.id}`],
      [order.hyperswitchPaymentId, `payment ${order.paymentId}`],
      ['pi_known', `payment ${order.paymentId}`],
      ['ch_known', `payment ${order.paymentId}`],
      [refund?.hyperswitchRefundId, `refund ${refund?.id}`],
      ['re_known', `refund ${refund?.id}`],
      ['req_last', `reversal ${reversal?.id}`],
      ['req_first', `reversal ${reversal?.id}`],
      ['trr_foreign', `transfer ${transfer?.id}`],
    ];
    for (const [id, expected] of cases) expect(await named(id as string), `${id}`).toBe(expected);
  });

  it('is an event that a provider sent', async () => {
    const eventId = unique('evt');
    await terminal.test.ledger.storeWebhook({
      provider: 'stripe',
      eventId,
      type: 'transfer.reversed',
      objectId: order.transfers[0]?.stripeTransferId as string,
      parentId: null,
      account: null,
      bodySha256: 'x',
    });
    expect(await named(eventId)).toBe(`transfer ${order.transfers[0]?.id}`);
  });

  it("is a settlement's key, transaction or payer, or our own client's Idempotency-Key", async () => {
    const settlement = aSettlement();
    await terminal.test.ledger.createSettlement(settlement);
    await forceColumns(terminal.test.database, 'settlements', settlement.id, { tx_hash: '0xfeed', payer: '0xPayer' });
    for (const id of [settlement.key, '0xfeed', '0xpayer']) expect(await named(id)).toBe(`settlement ${settlement.id}`);
    await query(
      `INSERT INTO request_keys (principal, operation, key, body_sha256, item_id) VALUES ('shop', 'orders', 'order-42', 'x', $1)`,
      [order.id],
    );
    expect(await named('order-42')).toBe(`order ${order.id}`);
  });

  it('that stands for several lists each in a line', async () => {
    const other = await terminal.put();
    const answer = await json('acct_b');
    const ids = answer.items.map(({ id }: { id: string }) => id);
    for (const one of [order, other])
      expect(ids).toEqual(expect.arrayContaining([one.transfers[1]?.id, one.reversals[1]?.id]));
    const lines = (await explain('acct_b')).split('\n');
    expect(lines).toHaveLength(1 + ids.length);
    expect(lines[0]).toBe('acct_b stands for several items; makegood explain with the id of one tells more');
  });

  it('of a decision that was never asked for is nothing', async () => {
    await expect(explain(newDecisionId(terminal.test.clock.nowMs()))).rejects.toThrow(CommandRefused);
  });
});
