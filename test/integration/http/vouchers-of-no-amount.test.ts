import { expect, it } from 'vitest';
import { mppSession } from '../../support/sessions/credentials.js';
import { settlementsApiForFile } from '../../support/settlements/settlements-api.js';

/** A voucher is its channel and its amount. Without both it could not be held against what its channel owes, nor be known again. */
const settlements = await settlementsApiForFile();

const post = (credential: object, amount: string) =>
  settlements.post(
    settlements.request({ protocol: 'mpp', credential, spent: { amount, asset: '0xusdc', decimals: 6 } }),
  );

it.each([
  ['whose amount is a number', { cumulativeAmount: 10_000 }],
  ['whose amount is a list', { cumulativeAmount: ['10000'] }],
  ['whose amount is null', { cumulativeAmount: null }],
  ['without an amount', { cumulativeAmount: undefined }],
  ['that opens its channel without an amount', { action: 'open', cumulativeAmount: undefined }],
  ['without an action and an amount', { action: undefined, cumulativeAmount: undefined }],
  ['without a channel', { channelId: undefined }],
])('a voucher %s is kept for a person and not sent, also beside the same one with both', async (_what, change) => {
  const channelId = settlements.nonce('7');
  expect((await post(mppSession({ channelId, cumulativeAmount: '10000' }), '10000')).status).toBe(202);
  const { status, body } = await post(mppSession({ channelId, cumulativeAmount: '10000', ...change }), '5000000');
  expect([status, body.status, body.attention?.reason]).toEqual([202, 'needs_attention', 'credential_undecodable']);
  expect((await settlements.ledger.claimSettlements([body.id], 'test', 60_000)).claimed).toEqual([]);
});
