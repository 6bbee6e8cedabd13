import { beforeAll, describe, expect, it } from 'vitest';
import { TOKENS } from '../../support/api.js';
import { imaginaryChannel, storeChannel } from '../../support/channels/channel-rows.js';
import { consoleApiForFile } from '../../support/console-api.js';
import { aSettlement, atomic } from '../../support/ledger-fixtures.js';
import { finishEvent } from '../../support/marketplace/finish-event.js';
import { forceColumns, type OrderPut, putOrder } from '../../support/marketplace/fixtures.js';
import { STUCK } from '../../support/marketplace/stuck-reversals.js';

const test = await consoleApiForFile();
const { act, api, database, ledger, read } = test;

const ids = async (path: string): Promise<string[]> => {
  const { status, body } = await read(path);
  expect(status).toBe(200);
  return body.items.map(({ id }: { id: string }) => id);
};

const sorted = (given: readonly (string | undefined)[]) => given.map((id) => id ?? '').sort();

/** All pages, one by one; no item twice. */
async function walk(path: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await read(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor}`);
    found.push(...body.items.map(({ id }: { id: string }) => id));
    expect(body.items.length).toBeLessThanOrEqual(limit);
    if (body.next_cursor === null) return found;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

let euros: OrderPut;
let dollars: OrderPut;
const settled: string[] = [];

beforeAll(async () => {
  dollars = await putOrder(test, STUCK);
  euros = await putOrder(test, {
    ...STUCK,
    currency: 'EUR',
    transfers: [{ amount: 600, seller: 'acct_x' }, { amount: 400 }],
  });
  for (const change of [
    { asset: 'USDC', payer: '0xAbC' },
    { asset: 'EURC', payer: '0xdef' },
    { undecodable: 'no json', body: null },
  ]) {
    const settlement = aSettlement(change);
    settled.push(settlement.id);
    await ledger.createSettlement(settlement);
  }
});

describe('lists of money', () => {
  it('are filtered by reason, currency, seller and period, alone and together', async () => {
    const stuck = [dollars.reversals[1]?.id, euros.reversals[1]?.id];
    expect((await ids('reversals?reason=retries_exhausted')).sort()).toEqual(sorted(stuck));
    expect(await ids('reversals?reason=drift')).toEqual([]);
    expect(await ids('reversals?reason=retries_exhausted&currency=eur')).toEqual([euros.reversals[1]?.id]);
    expect(await ids('reversals?seller=acct_x')).toEqual([euros.reversals[0]?.id]);
    expect(await ids('transfers?seller=acct_x&currency=EUR')).toEqual([euros.transfers[0]?.id]);
    expect(await ids('orders?seller=acct_x')).toEqual([euros.id]);
    expect((await ids('orders?reason=retries_exhausted')).sort()).toEqual([dollars.id, euros.id].sort());
    expect(await ids('payments?currency=USD')).toEqual([dollars.paymentId]);
    expect(await ids('refunds?seller=acct_x')).toEqual([euros.refunds[0]?.id]);
    expect((await ids('refunds')).sort()).toEqual(sorted([dollars.refunds[0]?.id, euros.refunds[0]?.id]));
    expect(await ids('disputes?currency=USD&seller=acct_a&reason=dispute')).toEqual([]);
    const soon = encodeURIComponent('2999-01-01T00:00:00+02:00');
    for (const list of ['settlements', 'orders', 'payments', 'refunds', 'transfers', 'reversals', 'disputes']) {
      expect(await ids(`${list}?since=${soon}`)).toEqual([]);
      expect(await ids(`${list}?until=2001-01-01T00:00:00Z`)).toEqual([]);
      expect(await ids(`${list}?since=2001-01-01T00:00:00Z&until=${soon}`)).toEqual(await ids(list));
    }
  });

  it('of settlements are filtered by asset, payer and reason', async () => {
    const [usdc, eurc, unreadable] = settled;
    expect(await ids('settlements?asset=EURC')).toEqual([eurc]);
    expect(await ids('settlements?payer=0xabc')).toEqual([usdc]);
    expect(await ids('settlements?reason=credential_undecodable')).toEqual([unreadable]);
  });

  it.each([
    'reversals?reason=nonsense',
    'orders?currency=euro',
    'transfers?seller=bob',
    'orders?since=yesterday',
    'orders?since=0000-01-01T00:00:00Z',
    'orders?until=2026-02-30T00:00:00Z',
    'settlements?currency=USD',
    'channels?cursor=bm9uZQ',
    `decisions?cursor=${Buffer.from('["2026-01-01T00:00:00.000000Z","no id"]').toString('base64url')}`,
    `webhooks?cursor=${Buffer.from('["2026-13-01T00:00:00.000000Z","stripe:evt"]').toString('base64url')}`,
    `webhooks?cursor=${Buffer.from('["0000-01-01T00:00:00.000000Z","stripe:evt"]').toString('base64url')}`,
  ])('%s is refused', async (path) => {
    const { status, body } = await read(path);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });

  it('take whatever offset a moment is written with', async () => {
    const far = encodeURIComponent('2999-01-01T00:00:00+23:30');
    expect((await read(`orders?until=${far}`)).status).toBe(200);
  });
});

describe('the list of channels', () => {
  const name = (digit: string) => `0x${digit.repeat(64)}` as const;
  const PAYER = { a: `0x${'a'.repeat(40)}`, b: `0x${'b'.repeat(40)}` } as const;
  const put = (digit: string, payer: `0x${string}`) => {
    const channel = imaginaryChannel();
    const amounts = { deposit: 100n, accepted: 0n, earned: 0n };
    return storeChannel(
      database,
      { ...channel, channelId: name(digit), descriptor: { ...channel.descriptor, payer } },
      amounts,
    );
  };
  beforeAll(async () => {
    await put('1', PAYER.a);
    await put('2', PAYER.b);
    await put('3', PAYER.b);
    await database.query(`UPDATE channels SET finalized = true WHERE channel_id = $1`, [name('3')]);
    await database.query(`UPDATE channels SET created_at = '2026-01-02T03:04:05.123456Z'`);
  });

  it('is walked page by page, also where all came to be at one moment', async () => {
    expect(await walk('channels', 1)).toEqual([name('3'), name('2'), name('1')]);
    expect(await walk('channels', 2)).toEqual([name('3'), name('2'), name('1')]);
  });

  it('is filtered by status, payer and id', async () => {
    expect(await ids('channels?status=closed')).toEqual([name('3')]);
    expect(await ids('channels?status=closing')).toEqual([]);
    expect(await ids(`channels?payer=${PAYER.b.toUpperCase().replace('X', 'x')}&status=open`)).toEqual([name('2')]);
    expect(await ids(`channels?key=${name('1')}`)).toEqual([name('1')]);
    const { body } = await read(`channels?key=${name('1')}`);
    expect(body.items[0]).toMatchObject({ status: 'open', deposit: '100', settled: '0', payer: PAYER.a });
  });
});

describe('the inbox', () => {
  const put = (eventId: string, change = {}) =>
    ledger.storeWebhook({
      provider: 'stripe',
      eventId,
      type: 'transfer.reversed',
      objectId: 'tr_1',
      parentId: null,
      account: null,
      bodySha256: 'x',
      ...change,
    });
  beforeAll(async () => {
    await put('evt_1');
    await put('evt_2', { type: 'payout.paid', objectId: 'po_1' });
    await put('evt/3 ü', { provider: 'hyperswitch', type: 'payment_succeeded', objectId: 'pay_1' });
    await put('evt_1');
    await finishEvent(ledger, { provider: 'stripe', eventId: 'evt_2' }, 'nothing of ours');
  });

  it('is walked page by page, and filtered by all that tells events apart', async () => {
    expect(await walk('webhooks', 1)).toEqual(['hyperswitch:evt/3 ü', 'stripe:evt_2', 'stripe:evt_1']);
    expect(await ids('webhooks?status=processed')).toEqual(['stripe:evt_2']);
    expect(await ids('webhooks?status=waiting&provider=stripe')).toEqual(['stripe:evt_1']);
    expect(await ids('webhooks?type=payout.paid')).toEqual(['stripe:evt_2']);
    expect(await ids('webhooks?object_id=tr_1')).toEqual(['stripe:evt_1']);
    expect(await ids('webhooks?key=evt_1')).toEqual(['stripe:evt_1']);
    const { body } = await read('webhooks?key=evt_1');
    expect(body.items[0]).toMatchObject({ deliveries: 2, outcome: null, processed_at: null, status: 'waiting' });
  });
});

describe('the list of decisions', () => {
  it('has who asked for what and who confirmed it, page by page, by every filter', async () => {
    const [, , unreadable] = settled;
    const asked = await act(`settlements/${unreadable}/resolve`, { action: 'write_off', note: 'it never was one' });
    const reversal = dollars.reversals[1]?.id;
    const other = await act(
      `reversals/${reversal}/resolve`,
      { action: 'retry', note: 'Stripe is back' },
      TOKENS.approver,
    );
    expect([asked.status, other.status]).toEqual([200, 200]);
    const [first, second] = [asked.body.decision_id, other.body.decision_id];
    expect(await walk('decisions', 1)).toEqual([second, first]);
    expect(await ids('decisions?kind=reversal')).toEqual([second]);
    expect(await ids('decisions?by=OLGA')).toEqual([first]);
    expect(await ids('decisions?action=retry')).toEqual([second]);
    expect(await ids('decisions?state=pending_approval')).toEqual([]);
    expect(await ids(`decisions?item_id=${unreadable}`)).toEqual([first]);
    expect(await ids('decisions?reason=retries_exhausted')).toEqual([second]);
    expect((await read(`decisions?item_id=${unreadable}`)).body.items[0]).toMatchObject({
      kind: 'settlement',
      action: 'write_off',
      state: 'applied',
      by: 'olga',
      authenticated: true,
      note: 'it never was one',
      reason: 'credential_undecodable',
      approved_by: null,
    });
  });
});

describe('a list as a table', () => {
  const csv = (path: string, accept = 'text/csv') => read(path, { Accept: accept });
  const NOTE = '=HYPERLINK("https://evil.example","<script>alert(1)</script>")\n\u202Eright to left';

  it('has a line for each item of the page, and names the next page beside it', async () => {
    const { body } = await read('settlements?limit=2');
    const { status, text, headers } = await csv('settlements?limit=2');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
    expect(headers.get('content-disposition')).toBe('attachment; filename="settlements.csv"');
    expect(headers.get('x-next-cursor')).toBe(body.next_cursor);
    const [head, ...lines] = text.trimEnd().split('\r\n');
    expect(head).toMatch(/^id,key,status,certainty,protocol,spent\.amount,spent\.asset,spent\.decimals,cap,/);
    expect(lines.map((line) => line.split(',')[0])).toEqual(body.items.map(({ id }: { id: string }) => id));
    expect(lines[0]?.split(',')[5]).toBe(body.items[0].spent.amount);
  });

  it.each([
    'settlements',
    'orders',
    'payments',
    'refunds',
    'transfers',
    'reversals',
    'disputes',
    'channels',
    'webhooks',
    'decisions',
  ])('is there of %s, empty too, and is JSON unless a table is asked for', async (list) => {
    const { body } = await read(`${list}?limit=200`);
    const full = await csv(`${list}?limit=200`);
    const empty = await csv(`${list}?until=2001-01-01T00:00:00Z`);
    expect(empty.text.split('\r\n')).toEqual([full.text.split('\r\n')[0], '']);
    expect(full.text.split('\r\n').length).toBeGreaterThanOrEqual(body.items.length + 2);
    expect((await csv(list, '*/*')).headers.get('content-type')).toMatch(/^application\/json/);
    expect((await csv(list, 'text/html')).headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('starts no formula in a spreadsheet, and keeps what was written', async () => {
    await forceColumns(database, 'reversals', euros.reversals[1]?.id ?? '', { attention_detail: '+1+1' });
    const asked = await act(`reversals/${euros.reversals[1]?.id}/resolve`, { action: 'retry', note: NOTE });
    expect(asked.status).toBe(200);
    const { text } = await csv('decisions?limit=1');
    expect(text).toContain(`"'${NOTE.replaceAll('"', '""')}"`);
    const { body, headers } = await read('decisions?limit=1');
    expect(body.items[0].note).toBe(NOTE);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    for (const start of ['=', '+', '-', '@', '\t', '\r']) {
      await ledger.storeWebhook({
        provider: 'stripe',
        eventId: `evt_${start.charCodeAt(0)}`,
        type: `${start}cmd`,
        objectId: null,
        parentId: null,
        account: null,
        bodySha256: 'x',
      });
      expect((await csv(`webhooks?key=evt_${start.charCodeAt(0)}`)).text).toContain(`'${start}cmd`);
    }
    expect(api.logged.join('\n')).not.toContain('evil.example');
  });
});

it('text of a script stays text wherever a person wrote it', async () => {
  const script = '<script>alert(document.cookie)</script>';
  const settlement = aSettlement({ undecodable: script, body: null, spent: atomic(1n) });
  await ledger.createSettlement(settlement);
  const { text, headers, body } = await read(`explanations/settlement/${settlement.id}`);
  expect(headers.get('content-type')).toMatch(/^application\/json/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(body.attention.detail).toBe(script);
  expect(text).toContain(script);
  expect((await ledger.findSettlement(settlement.id))?.attention?.detail).toBe(script);
});
