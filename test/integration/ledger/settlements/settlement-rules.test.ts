import { describe, expect, it } from 'vitest';
import { CERTAINTIES, certaintyAtSend } from '../../../../src/domain/calls/certainty.js';
import { SETTLEMENT_STATUSES, SETTLEMENT_TRANSITIONS } from '../../../../src/domain/settlements/settlement-status.js';
import { aSession, aSettlement, atomic, ledgerForFile } from '../../../support/ledger-fixtures.js';

const test = await ledgerForFile();

/** A move with all that the constraints of its goal ask for, so that only the transition itself can be refused. */
const MOVE = `UPDATE settlements SET status = $2, certainty = CASE $2 WHEN 'settled' THEN 'done' ELSE certainty END,
       settled_at = CASE $2 WHEN 'settled' THEN now() END,
       next_check_at = CASE WHEN $2 IN ('settled', 'released', 'written_off') THEN NULL ELSE now() END,
       attention_reason = CASE $2 WHEN 'needs_attention' THEN 'credential_refused' END,
       attention_since = CASE $2 WHEN 'needs_attention' THEN now() END,
       attention_detail = CASE $2 WHEN 'needs_attention' THEN 'x' END
     WHERE id = $1`;

/** A row put into any status by the only means there is: a superuser who switches the guard off. */
async function rowIn(status: string): Promise<string> {
  const { settlement } = (await test.ledger.createSettlement(aSettlement({ spent: atomic(0) }))) as {
    settlement: { id: string };
  };
  await test.database.transaction(async (query) => {
    await query('SET LOCAL session_replication_role = replica');
    await query(MOVE, [settlement.id, status]);
  });
  return settlement.id;
}

const move = (id: string, status: string) => test.database.query(MOVE, [id, status]);

describe('the database itself', () => {
  for (const from of SETTLEMENT_STATUSES) {
    for (const to of SETTLEMENT_STATUSES.filter((status) => status !== from)) {
      const legal = SETTLEMENT_TRANSITIONS[from].includes(to);
      it(`${legal ? 'allows' : 'refuses'} ${from} → ${to}, as the table in code says`, async () => {
        const id = await rowIn(from);
        if (legal) await expect(move(id, to)).resolves.toBeDefined();
        else await expect(move(id, to)).rejects.toThrow(`${from} cannot become ${to}`);
      });
    }
  }

  it.each(['settled', 'released', 'written_off'])('refuses a settlement that begins as %s', async (status) => {
    await expect(
      test.database.query(
        `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals)
         VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'c', 'api', 'x402', 'p', $1, 'USDC', 6)`,
        [status],
      ),
    ).rejects.toThrow(`cannot begin as ${status}`);
  });

  const onPending = async (set: string) => {
    const id = await rowIn('pending');
    return test.database.query(`UPDATE settlements SET ${set} WHERE id = $1`, [id]);
  };

  it('never changes an amount after the close', async () => {
    await expect(onPending('spent = spent - 1')).rejects.toThrow('frozen at the close');
    await expect(onPending('spent = spent + 1')).rejects.toThrow('frozen at the close');
    await expect(onPending('cap = cap + 1')).rejects.toThrow('frozen at the close');
  });
  it('never changes the body after the close', async () => {
    await expect(onPending(`body_sha256 = 'other'`)).rejects.toThrow('body is frozen');
    await expect(onPending(`body_sha256 = NULL`)).rejects.toThrow('body is frozen');
  });
  it('never gives a settlement another identity or key', async () => {
    await expect(onPending(`identity = 'other'`)).rejects.toThrow('never change');
    await expect(onPending(`key = 'other'`)).rejects.toThrow('never change');
  });
  it('never forgets an attempt, a success or an unknown outcome', async () => {
    await expect(onPending('attempts = -1')).rejects.toThrow('never forgotten');
    const id = await rowIn('pending');
    await test.database.query(`UPDATE settlements SET certainty = 'unknown' WHERE id = $1`, [id]);
    for (const certainty of ['not_sent', 'in_flight', 'absent']) {
      await expect(
        test.database.query('UPDATE settlements SET certainty = $2 WHERE id = $1', [id, certainty]),
      ).rejects.toThrow('closed only by evidence');
    }
    await test.database.query(`UPDATE settlements SET certainty = 'done' WHERE id = $1`, [id]);
    await expect(
      test.database.query(`UPDATE settlements SET certainty = 'unknown' WHERE id = $1`, [id]),
    ).rejects.toThrow('stays done');
  });
  it('never holds more spent than the cap', async () => {
    await expect(test.ledger.createSettlement(aSettlement({ spent: atomic(2), cap: atomic(1) }))).rejects.toThrow(
      'spent_within_cap',
    );
  });
  it('never settles without certainty, and never leaves an unfinished item where no sweep finds it', async () => {
    await expect(onPending(`status = 'settled', next_check_at = NULL`)).rejects.toThrow('settled_is_certain');
    await expect(onPending('next_check_at = NULL')).rejects.toThrow('unfinished_is_found_again');
  });
  it('never loses a settlement, a decision or an event by DELETE, UPDATE or TRUNCATE', async () => {
    const id = await rowIn('pending');
    await expect(test.database.query('DELETE FROM settlements WHERE id = $1', [id])).rejects.toThrow('append-only');
    await expect(test.database.query('DELETE FROM operation_events')).rejects.toThrow('append-only');
    await expect(test.database.query(`UPDATE operation_events SET kind = 'x'`)).rejects.toThrow('append-only');
    await expect(test.database.query('TRUNCATE operation_events')).rejects.toThrow('append-only');
  });
  it('never takes one identity twice, whatever the key, until it was released', async () => {
    const lease = await test.ledger.takeLease('test', 60_000);
    const first = aSession(lease);
    expect(await test.ledger.openSession(first)).toBe('opened');
    const again = () => aSession(lease, { identity: first.identity });
    expect(await test.ledger.openSession(again())).toBe('identity_used');
    expect(await test.ledger.createSettlement(aSettlement({ identity: first.identity }))).toEqual({
      kind: 'conflict',
      on: 'identity',
    });
    await test.ledger.commitSessions([
      {
        kind: 'close',
        id: first.id,
        lease,
        closeToken: first.closeToken,
        by: 'end',
        spent: atomic(0),
        body: null,
        delivery: null,
      },
    ]);
    expect(await test.ledger.openSession(again())).toBe('opened');
  });

  it('never takes one payment request twice, whatever credential answers it', async () => {
    const lease = await test.ledger.takeLease('test', 60_000);
    const context = { paymentRequestId: 'pr_1' };
    expect(await test.ledger.openSession(aSession(lease, { context }))).toBe('opened');
    expect(await test.ledger.openSession(aSession(lease, { context }))).toBe('identity_used');
    expect(await test.ledger.createSettlement(aSettlement({ context }))).toEqual({ kind: 'conflict', on: 'identity' });
  });

  it('knows the same certainty at a send as the code', async () => {
    for (const certainty of CERTAINTIES) {
      const [row] = await test.database.query<{ after: string }>('SELECT certainty_at_send($1) AS after', [certainty]);
      expect(row?.after).toBe(certaintyAtSend(certainty));
    }
  });
});
