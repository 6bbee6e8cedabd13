import { beforeEach, describe, expect, it } from 'vitest';
import { captureBody } from '../../../../src/domain/channels/capture.js';
import type { SettlementId } from '../../../../src/domain/ids.js';
import { SETTLEMENT_PROVIDERS } from '../../../../src/domain/settlements/settlement-providers.js';
import { createCaptures } from '../../../../src/ledger/channels/captures.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { captureOf, imaginaryChannel, storeChannel } from '../../../support/channels/channel-rows.js';
import type { OpenedChannel } from '../../../support/channels/tempo-chain.js';
import {
  aSettlement,
  attempt,
  DONE,
  ledgerForFile,
  refused,
  SERVER_ERROR,
  testKey,
} from '../../../support/ledger-fixtures.js';
import { decideInLedger, type SettlementDecision } from '../../../support/settlements/settling.js';

const test = await ledgerForFile();
let channel: OpenedChannel;
beforeEach(async () => {
  channel = imaginaryChannel();
  await storeChannel(test.database, channel, { deposit: 1000n, accepted: 100n, earned: 90n });
});

const SIGNATURE = `0x${'ab'.repeat(65)}`;
const captureWith = (changes: Partial<Parameters<typeof captureOf>[1]> = {}) => {
  const cumulative = changes.cumulative ?? 80n;
  return captureOf(channel, {
    kind: 'settle',
    cumulative,
    capture: cumulative,
    newly: cumulative,
    signature: SIGNATURE,
    ...changes,
  });
};
async function opened(changes?: Parameters<typeof captureWith>[0]): Promise<SettlementId> {
  const outcome = await test.ledger.openCapture(captureWith(changes));
  if (outcome.kind !== 'opened') throw new Error(`the capture is ${outcome.kind}`);
  return outcome.id;
}
async function claim(id: SettlementId, runner = 'r') {
  const { claimed } = await test.ledger.claimSettlements([id], runner, 35_000);
  return claimed[0]!;
}
async function settled(id: SettlementId, answer = DONE) {
  await test.ledger.recordAttempts([attempt(await claim(id), answer, 'r')]);
}
const channelRow = async () => {
  const [row] = await test.database.query(
    'SELECT settled, finalized, next_check_at <= clock_now() AS due FROM channels WHERE channel_id = $1',
    [channel.channelId],
  );
  return row;
};
const decide = (...decision: SettlementDecision) => decideInLedger(test.ledger, ...decision);

describe('a capture', () => {
  it('is a settlement whose amount and bytes are frozen, found again by whoever looks', async () => {
    const id = await opened({ kind: 'close', cumulative: 100n, capture: 90n, newly: 25n });
    expect(await test.ledger.findSettlement(id)).toMatchObject({
      protocol: 'mpp',
      provider: 'tempo',
      status: 'pending',
      spent: '25',
      cap: '25',
      decimals: 6,
      key: `mpp:${channel.channelId}:100:close`,
      workflowId: `settlement/${id}`,
    });
    expect(await test.ledger.settlementLookup(id)).toMatchObject({ kind: 'close', cumulative: '100', capture: '90' });
    const { body, provider } = await claim(id);
    expect(provider).toBe('tempo');
    expect(body).toBe(captureBody(captureWith({ kind: 'close', cumulative: 100n, capture: 90n, newly: 25n })));
    const [row] = await test.database.query<{ sealed: Buffer }>('SELECT sealed FROM settlements WHERE id = $1', [id]);
    expect(row?.sealed.toString('latin1')).not.toContain(SIGNATURE);
  });

  it('raises what is settled of its channel in the transaction that records it, never lowers it, and makes it due', async () => {
    await settled(await opened());
    expect(await channelRow()).toEqual({ settled: '80', finalized: false, due: true });
    await test.database.query('UPDATE channels SET settled = 88 WHERE channel_id = $1', [channel.channelId]);
    await settled(await opened({ cumulative: 85n }));
    expect(await channelRow()).toMatchObject({ settled: '88', finalized: false });
  });

  it('that closes finalizes the channel, also where nothing was spent', async () => {
    channel = imaginaryChannel();
    await storeChannel(test.database, channel, { deposit: 1000n, accepted: 10n, earned: 0n });
    const id = await opened({ kind: 'close', cumulative: 10n, capture: 0n, newly: 0n });
    expect(await test.ledger.findSettlement(id)).toMatchObject({ spent: '0', status: 'pending' });
    await settled(id);
    expect(await channelRow()).toEqual({ settled: '0', finalized: true, due: null });
  });

  it('is one at a time for each channel, however many ask at once, and also while a person is asked', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        test.ledger.openCapture(captureWith({ cumulative: BigInt(50 + index) })),
      ),
    );
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual([...Array.from({ length: 11 }, () => 'busy'), 'opened']);
    const id = outcomes.flatMap((outcome) => (outcome.kind === 'opened' ? outcome.id : []))[0]!;
    await settled(id, refused('other'));
    expect(await test.ledger.openCapture(captureWith({ cumulative: 70n }))).toEqual({ kind: 'busy' });
    await decide(id, 'write_off', { verified: { kind: 'absent' } });
    expect(await test.ledger.openCapture(captureWith({ cumulative: 70n }))).toMatchObject({ kind: 'opened' });
  });

  it('that was settled or given up is not opened again', async () => {
    await settled(await opened());
    expect(await test.ledger.openCapture(captureWith())).toEqual({ kind: 'decided' });
    const id = await opened({ cumulative: 90n });
    await settled(id, refused('other'));
    await decide(id, 'write_off', { verified: { kind: 'absent' } });
    expect(await test.ledger.openCapture(captureWith({ cumulative: 90n }))).toEqual({ kind: 'decided' });
  });

  it('given up and found on chain after all moves its channel too, and is raised', async () => {
    const id = await opened();
    const claimed = await claim(id);
    await test.ledger.recordAttempts([attempt(claimed, refused('other'), 'r')]);
    await decide(id, 'write_off', { verified: { kind: 'absent' } });
    await test.ledger.recordAttempts([attempt(claimed, DONE, 'r')]);
    expect(await test.ledger.findSettlement(id)).toMatchObject({
      status: 'settled',
      attention: { reason: 'late_success' },
    });
    expect(await channelRow()).toMatchObject({ settled: '80' });
  });

  it('waits for no date: its body is there after a month of outage', async () => {
    const id = await opened();
    await test.database.query(`UPDATE settlements SET created_at = created_at - interval '40 days' WHERE id = $1`, [
      id,
    ]);
    test.clock.advance(31 * 86_400_000);
    await test.ledger.eraseOverdue(100);
    expect(await test.ledger.findSettlement(id)).toMatchObject({ status: 'pending' });
    expect((await claim(id)).body).toContain('captureAmount');
  });

  it('opened by the one who holds the channel never waits in a circle with the one who settles it', async () => {
    const openCapture = createCaptures(createSealer([testKey()]), test.clock);
    for (let round = 0; round < 10; round += 1) {
      const claimed = await claim(await opened({ cumulative: BigInt(50 + 2 * round) }));
      const holding = test.database.transaction(async (query) => {
        await query('SELECT 1 FROM channels WHERE channel_id = $1 FOR UPDATE', [channel.channelId]);
        await query('SELECT pg_sleep(0.01)');
        return await openCapture(query, captureWith({ cumulative: BigInt(51 + 2 * round) }));
      });
      const [outcome] = await Promise.all([holding, test.ledger.recordAttempts([attempt(claimed, DONE, 'r')])]);
      if (outcome.kind === 'opened') await settled(outcome.id);
      expect(await channelRow()).toMatchObject({ settled: String((outcome.kind === 'opened' ? 51 : 50) + 2 * round) });
    }
  });
});

describe('the database refuses', () => {
  const insert = (changes: Record<string, unknown>) => {
    const row = {
      id: crypto.randomUUID(),
      key: crypto.randomUUID(),
      identity: crypto.randomUUID(),
      content_sha256: 'x',
      source: 'channel',
      protocol: 'mpp',
      provider: 'tempo',
      status: 'needs_attention',
      attention_reason: 'conflict',
      attention_since: new Date(),
      attention_detail: '',
      next_check_at: new Date(),
      asset: 'x',
      decimals: 6,
      channel_id: channel.channelId,
      lookup: '{"kind":"settle","capture":"1"}',
      ...changes,
    };
    const names = Object.keys(row);
    return test.database.query(
      `INSERT INTO settlements (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
      Object.values(row),
    );
  };
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a capture without its channel', { channel_id: null }, /capture_is_whole/],
    ['a capture at the auth server', { provider: 'auth-server:mpp' }, /capture_is_whole/],
    ['a paid session on chain', { source: 'session' }, /capture_is_whole/],
    ['a capture that does not say what it takes', { lookup: '{}' }, /capture_says_what_it_takes/],
    ['a capture of a channel there is not', { channel_id: `0x${'0'.repeat(64)}` }, /settlements_channel_id_fkey/],
  ])('%s', async (_what, changes, error) => {
    await expect(insert(changes)).rejects.toThrow(error);
  });

  it('a second unfinished one of a channel', async () => {
    await insert({});
    await expect(insert({})).rejects.toThrow(/settlements_one_capture_per_channel/);
  });
});

describe('an operator', () => {
  it('cannot say that a capture is settled, however good the evidence sounds; with the proof of the chain it is', async () => {
    const id = await opened();
    await settled(id, refused('other'));
    const evidence = { tx_hash: '0xabc' };
    expect(await decide(id, 'settled', { evidence })).toMatchObject({ kind: 'refused' });
    const proved = { evidence, verified: { kind: 'found', providerId: '0xabc' }, authenticated: false } as const;
    expect(await decide(id, 'settled', proved)).toMatchObject({ kind: 'applied', status: 'settled' });
    expect(await test.ledger.findSettlement(id)).toMatchObject({ txHash: '0xabc', certainty: 'done' });
    expect(await channelRow()).toMatchObject({ settled: '80' });
  });

  it('sends it again with retry: the same bytes', async () => {
    const id = await opened();
    const { body } = await claim(id);
    await test.ledger.recordAttempts([attempt({ ...(await find(id)), body } as never, refused('other'), 'r')]);
    await decide(id, 'retry');
    expect((await claim(id, 'r2')).body).toBe(body);
  });
  const find = async (id: SettlementId) => ({ id, certainty: 'in_flight', keyLeftMs: null, attempts: 1 });
});

describe('an outage', () => {
  const fail = async (ids: readonly SettlementId[]) => {
    const { claimed } = await test.ledger.claimSettlements(ids, 'r', 35_000);
    await test.ledger.recordAttempts(claimed.map((each) => attempt(each, SERVER_ERROR, 'r')));
  };
  const due = async () => {
    test.clock.advance(600_000);
    const pages = await Promise.all(
      SETTLEMENT_PROVIDERS.map(({ provider }) => test.ledger.dueSettlements(provider, 500)),
    );
    return new Set(pages.flat().map(({ provider }) => provider));
  };
  const some = async (make: () => Promise<SettlementId>) => {
    const ids: SettlementId[] = [];
    for (let count = 0; count < 8; count += 1) ids.push(await make());
    return ids;
  };
  const aCapture = async () => {
    channel = imaginaryChannel();
    await storeChannel(test.database, channel, { deposit: 1000n, accepted: 100n, earned: 90n });
    return await opened();
  };
  const anMppSettlement = async () => {
    const settlement = aSettlement({ protocol: 'mpp' });
    await test.ledger.createSettlement(settlement);
    return settlement.id;
  };
  const breakers = async () =>
    test.database.query(`SELECT provider FROM provider_breakers WHERE state <> 'closed' ORDER BY provider`);

  it('of the chain holds up no settlement of the auth server, and the other way round', async () => {
    await test.database.query('DELETE FROM provider_breakers');
    const [captures, settlements] = [await some(aCapture), await some(anMppSettlement)];
    await fail(captures.slice(0, 6));
    expect(await breakers()).toEqual([{ provider: 'tempo' }]);
    // Of the ill one a single row probes.
    expect((await test.ledger.startable([...captures, ...settlements])).map(({ id }) => id).sort()).toEqual(
      settlements.sort(),
    );
    expect(await due()).toContain('auth-server:mpp');
    await test.database.query('DELETE FROM provider_breakers');
    await fail(settlements.slice(0, 6));
    expect(await breakers()).toEqual([{ provider: 'auth-server:mpp' }]);
    expect((await test.ledger.startable([...captures, ...settlements])).map(({ id }) => id).sort()).toEqual(
      captures.sort(),
    );
    expect(await due()).toContain('tempo');
  });
});
