import { describe, expect, it } from 'vitest';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { forceColumns, putOrder, unique } from '../../../support/marketplace/fixtures.js';
import { anotherRefund, insertReversal, putWithReversal } from '../../../support/marketplace/reversal-rows.js';

const test = await ledgerForFile();

const query = (sql: string, values: readonly unknown[] = []) => test.database.query(sql, values);

describe.each(['seller_transfers', 'reversals'])('a call of %s', (table) => {
  const put = async (columns: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    if (table === 'reversals') {
      const { reversal } = await putWithReversal(test);
      await forceColumns(test.database, table, reversal.id, columns);
      return reversal.id;
    }
    const order = await putOrder(test, { transfers: [{ amount: 1_000, status: 'pending', columns }] });
    return order.transfers[0]!.id;
  };
  const set = (id: string, columns: string) => query(`UPDATE ${table} SET ${columns} WHERE id = $1`, [id]);
  const NEXT = `generation = generation + 1, idempotency_key = id || ':g2', certainty = 'not_sent', key_first_sent_at = NULL, params = NULL`;

  it('never changes the key, the parameters or the first send of a generation', async () => {
    const id = await put({ params: '{"amount":1}', key_first_sent_at: new Date(), attempts: 1, certainty: 'unknown' });
    await expect(set(id, `idempotency_key = 'other'`)).rejects.toThrow('frozen for a generation');
    await expect(set(id, `params = '{"amount":2}'`)).rejects.toThrow('frozen for a generation');
    await expect(set(id, 'params = NULL')).rejects.toThrow('frozen for a generation');
    await expect(set(id, `key_first_sent_at = now() + interval '1 hour'`)).rejects.toThrow('frozen for a generation');
    await expect(set(id, 'key_first_sent_at = NULL')).rejects.toThrow('frozen for a generation');
    await expect(set(await put(), `idempotency_key = 'other'`)).rejects.toThrow('frozen for a generation');
  });

  it('never forgets an attempt', async () => {
    await expect(set(await put({ attempts: 3 }), 'attempts = 2')).rejects.toThrow('never forgotten');
  });

  it('never becomes absent after an unknown outcome without a look, and never unsent again', async () => {
    const id = await put({ certainty: 'unknown', attempts: 1 });
    for (const certainty of ['absent', 'not_sent', 'in_flight'])
      await expect(set(id, `certainty = '${certainty}'`)).rejects.toThrow('closed only by evidence');
    await expect(set(id, `certainty = 'not_sent', absences = 1`)).rejects.toThrow('closed only by evidence');
    await set(id, `certainty = 'absent', absences = 1`);
  });

  it('stays done once it is done', async () => {
    const id = await put({ certainty: 'done', attempts: 1 });
    for (const certainty of ['absent', 'not_sent', 'in_flight', 'unknown'])
      await expect(set(id, `certainty = '${certainty}', absences = 9`)).rejects.toThrow('stays done');
  });

  it.each([
    ['in flight', { certainty: 'in_flight', attempts: 1 }],
    ['unknown, and never looked for', { certainty: 'unknown', attempts: 1 }],
    ['unknown, and missed once', { certainty: 'unknown', attempts: 1, absences: 1 }],
  ])('never gets a new generation while it is %s', async (_, columns) => {
    await expect(set(await put(columns), NEXT)).rejects.toThrow('needs evidence');
  });

  it('gets a new generation on evidence: a definite no, or an unknown outcome missed twice', async () => {
    const evidence = [
      { certainty: 'absent', attempts: 1 },
      { certainty: 'unknown', attempts: 1, absences: 2, params: '{}', key_first_sent_at: new Date() },
    ];
    for (const columns of evidence) await expect(set(await put(columns), NEXT)).resolves.toEqual([]);
  });

  it.each([
    ['two further on', NEXT.replace('generation + 1', 'generation + 2')],
    ['back', `generation = 1, idempotency_key = 'x', certainty = 'not_sent', key_first_sent_at = NULL`],
    ['with the same key', NEXT.replace(`id || ':g2'`, 'idempotency_key')],
    ['as if it were sent already', NEXT.replace('key_first_sent_at = NULL', 'key_first_sent_at = now()')],
    ['with what was known of the earlier one', NEXT.replace(`'not_sent'`, `'absent'`)],
  ])('never gets a generation %s', async (_, columns) => {
    const id = await put({ certainty: 'absent', attempts: 1, generation: 2, idempotency_key: unique('g') });
    await expect(set(id, columns)).rejects.toThrow('needs evidence');
  });

  it('never shares a key with another one', async () => {
    const [one, other] = [await put(), await put({ certainty: 'absent' })];
    await expect(
      set(other, NEXT.replace(`id || ':g2'`, `(SELECT idempotency_key FROM ${table} WHERE id = '${one}')`)),
    ).rejects.toThrow('idempotency_key');
  });

  it('never names a process that holds it without the end of its hold', async () => {
    await expect(set(await put(), `runner = 'somebody'`)).rejects.toThrow('runner_is_whole');
  });

  it('never waits for a person without a reason, a date and words', async () => {
    await expect(set(await put(), `attention_reason = 'conflict'`)).rejects.toThrow('attention_is_whole');
  });

  it('is never left where no sweep finds it', async () => {
    await expect(set(await put(), 'next_check_at = NULL')).rejects.toThrow('is_found_again');
  });
});

describe('a transfer', () => {
  const put = async (status: 'pending' | 'completed', columns = {}) =>
    (await putOrder(test, { transfers: [{ amount: 1_000, status, columns }] })).transfers[0]!.id;
  const set = (id: string, columns: string) => query(`UPDATE seller_transfers SET ${columns} WHERE id = $1`, [id]);

  it.each([
    `seller_account = 'acct_z'`,
    `currency = 'EUR'`,
    'promised = promised + 1, amount = amount + 1',
    `origin = 'import'`,
  ])('never changes what was promised to whom: %s', async (columns) => {
    await expect(set(await put('pending'), columns)).rejects.toThrow('never change');
  });

  it('is withheld only while it is certain that nothing was sent', async () => {
    for (const certainty of ['in_flight', 'unknown'])
      await expect(
        set(await put('pending', { certainty, attempts: 1 }), 'withheld = 1, amount = amount - 1'),
      ).rejects.toThrow('surely not sent');
    await expect(set(await put('completed'), 'withheld = 1, amount = amount - 1')).rejects.toThrow('surely not sent');
    await set(await put('pending', { certainty: 'absent', attempts: 1 }), 'withheld = 1, amount = amount - 1');
  });

  const CANCEL = `status = 'cancelled', withheld = promised, amount = 0, next_check_at = NULL`;
  it('is cancelled only when nothing of it is left and nothing of it was sent', async () => {
    await expect(set(await put('pending'), `status = 'cancelled'`)).rejects.toThrow('cancelled_was_not_sent');
    for (const certainty of ['in_flight', 'unknown'])
      await expect(set(await put('pending', { certainty, attempts: 1 }), CANCEL)).rejects.toThrow('surely not sent');
    await expect(
      set(
        await put('pending', { certainty: 'unknown', attempts: 1, withheld: 1_000, amount: 0 }),
        `status = 'cancelled'`,
      ),
    ).rejects.toThrow('cancelled_was_not_sent');
    await set(await put('pending'), CANCEL);
  });

  it('is completed only with certainty and a date, and has an id at Stripe only once it was sent', async () => {
    const complete = (id: string, columns: string) => set(id, `status = 'completed', ${columns}`);
    await expect(complete(await put('pending'), 'completed_at = now()')).rejects.toThrow('completed_is_certain');
    await expect(complete(await put('pending'), `certainty = 'done'`)).rejects.toThrow('completed_has_a_date');
    await expect(set(await put('pending'), `stripe_transfer_id = 'tr_early'`)).rejects.toThrow(
      'failed_has_no_transfer',
    );
    await complete(
      await put('pending'),
      `certainty = 'done', completed_at = now(), stripe_transfer_id = '${unique('tr')}'`,
    );
  });

  it('is one for each seller and release of an order, while a historical order may have several', async () => {
    const { id } = await putOrder(test, { transfers: [{ amount: 10 }] });
    const again = (origin: string) =>
      query(
        `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, origin, idempotency_key, next_check_at)
         VALUES (gen_random_uuid(), $1, 'acct_a', 'USD', 1, 1, $2, gen_random_uuid(), now())`,
        [id, origin],
      );
    await expect(again('order')).rejects.toThrow('one_per_release');
    await again('import');
    await again('import');
  });

  it('makes good one refund of one transfer at most once', async () => {
    const { order, transfer, refund } = await putWithReversal(test);
    const compensate = (columns: string, values: readonly unknown[]) =>
      query(
        `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, origin, idempotency_key,
           next_check_at, ${columns})
         VALUES (gen_random_uuid(), $1, 'acct_a', 'USD', 1, 1, 'compensation', gen_random_uuid(), now(), ${values.map((_, i) => `$${i + 2}`).join(', ')})`,
        [order.id, ...values],
      );
    await expect(compensate('compensates_refund', [refund.id])).rejects.toThrow('compensation_is_whole');
    await compensate('compensates_refund, compensates_transfer', [refund.id, transfer.id]);
    await expect(compensate('compensates_refund, compensates_transfer', [refund.id, transfer.id])).rejects.toThrow(
      'one_compensation',
    );
  });
});

describe('a reversal', () => {
  const set = (id: string, columns: string) => query(`UPDATE reversals SET ${columns} WHERE id = $1`, [id]);

  it('is one for each refund and transfer', async () => {
    const { transfer, refund } = await putWithReversal(test, 1);
    await expect(insertReversal(test, refund.id, transfer.id, 1)).rejects.toThrow(
      'reversals_refund_id_transfer_id_key',
    );
  });

  it.each([`currency = 'EUR'`, `seller_account = 'acct_z'`])(
    'never changes what it takes back, and from whom: %s',
    async (columns) => {
      const { reversal } = await putWithReversal(test);
      await expect(set(reversal.id, columns)).rejects.toThrow('never changes');
    },
  );

  it.each([
    `certainty = 'unknown', attempts = 1`,
    `params = '{"amount":1}', key_first_sent_at = clock_now(), attempts = 1`,
  ])('keeps its amount once it may have been sent: %s', async (sent) => {
    const { reversal } = await putWithReversal(test, 1);
    await set(reversal.id, sent);
    await expect(set(reversal.id, 'amount = amount + 1')).rejects.toThrow('never changes');
  });

  it('is never made larger than its transfer', async () => {
    const { reversal } = await putWithReversal(test, 1);
    await expect(set(reversal.id, 'amount = amount + 1000000')).rejects.toThrow('exceeds the transfer');
  });

  it('is claimed alone: no other one of its transfer is under way', async () => {
    const { transfer, refund, reversal } = await putWithReversal(test, 1);
    const second = await anotherRefund(test, refund.id);
    await insertReversal(test, second, transfer.id, 1);
    const claim = `runner = 'a', runner_until = now()`;
    await set(reversal.id, claim);
    await expect(query(`UPDATE reversals SET ${claim} WHERE refund_id = $1`, [second])).rejects.toThrow(
      'one_in_flight',
    );
    await set(reversal.id, 'runner = NULL, runner_until = NULL');
    await query(`UPDATE reversals SET ${claim} WHERE refund_id = $1`, [second]);
  });

  it('is reversed only with its id at Stripe and certainty, and has an id only then', async () => {
    const { reversal } = await putWithReversal(test);
    const proof = `stripe_reversal_id = '${unique('trr')}', reversed_at = now()`;
    await expect(set(reversal.id, `status = 'reversed', certainty = 'done', reversed_at = now()`)).rejects.toThrow(
      'reversed_is_proved',
    );
    await expect(set(reversal.id, `status = 'reversed', ${proof}`)).rejects.toThrow('reversed_is_proved');
    await expect(set(reversal.id, proof)).rejects.toThrow('reversed_is_proved');
    await set(reversal.id, `status = 'reversed', certainty = 'done', next_check_at = NULL, ${proof}`);
  });

  it('is written off only when it is certain that nothing was taken', async () => {
    for (const certainty of ['in_flight', 'unknown', 'done']) {
      const { reversal } = await putWithReversal(test);
      await forceColumns(test.database, 'reversals', reversal.id, { certainty });
      await expect(set(reversal.id, `status = 'written_off'`)).rejects.toThrow('written_off_is_absent');
    }
    const { reversal } = await putWithReversal(test);
    await expect(set(reversal.id, 'voided = true')).rejects.toThrow('voided_is_written_off');
    await set(reversal.id, `status = 'written_off', voided = true, next_check_at = NULL`);
  });

  it('never fails for good without saying why, and is looked at again while its outcome is unknown', async () => {
    const { reversal } = await putWithReversal(test);
    await expect(set(reversal.id, `status = 'permanently_failed'`)).rejects.toThrow('failed_reversal_says_why');
    const why = `attention_reason = 'retries_exhausted', attention_since = now(), attention_detail = 'x'`;
    await set(reversal.id, `certainty = 'unknown'`);
    await expect(set(reversal.id, `status = 'permanently_failed', next_check_at = NULL, ${why}`)).rejects.toThrow(
      'is_found_again',
    );
    await set(reversal.id, `status = 'permanently_failed', ${why}`);
  });
});
