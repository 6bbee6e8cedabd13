import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDatabase } from '../../../../src/ledger/database.js';
import { createDecisions } from '../../../../src/ledger/decisions/decide.js';
import { knownMigrations, migrate } from '../../../../src/ledger/migrate.js';
import { createTestDatabase, type TestDatabase } from '../../../support/database.js';
import { movableClock } from '../../../support/ledger-fixtures.js';
import { withoutTriggers } from '../../../support/marketplace/fixtures.js';

/** A database of a build that knew names only is taken over, with what waits in it. */

const TWO_PRINCIPALS = /^([0-9]+)-two-principals\.sql$/;

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase('empty');
  const [, number] =
    (await knownMigrations()).map(({ name }) => TWO_PRINCIPALS.exec(name)).find((found) => found) ?? [];
  await migrate(database.url, { to: Number(number) - 1 });
});
afterEach(() => database.drop());

const SETTLEMENTS = { asked: 1, claimed: 2, alone: 3 } as const;
const id = (digit: number) => `0197d7a4-6f00-7000-8000-${String(digit).padStart(12, '0')}`;

it('what waits for an approval takes two authenticated persons from now on, and what one gave up today counts', async () => {
  const clock = movableClock();
  const connection = createDatabase({ url: database.url, clock });
  try {
    await withoutTriggers(connection, async (query) => {
      for (const [name, digit] of Object.entries(SETTLEMENTS)) {
        const pending = name !== 'alone';
        await query(
          `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, certainty, asset, decimals,
             spent, attention_reason, attention_since, attention_detail, next_check_at)
           VALUES ($1, $2, $2, 'c', 'api', 'x402', 'auth-server:x402', $3, 'absent', 'USDC', 6, 9000000, $4, $5, $6, $5)`,
          [
            id(digit),
            name,
            pending ? 'needs_attention' : 'written_off',
            pending ? 'approval_pending' : null,
            pending ? new Date() : null,
            pending
              ? 'ann asks to write_off (decision 1); before that: credential_refused: 400 other: it says so'
              : null,
          ],
        );
        await query(
          `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note)
           VALUES ($1, 'settlement', $2, 'write_off', $3, 'ann', $4, 'n')`,
          [id(10 + digit), id(digit), pending ? 'pending_approval' : 'applied', name !== 'claimed'],
        );
      }
    });
    await migrate(database.url);

    const rows = await connection.query(
      'SELECT state, principal, rests_on, amount, currency, asked_reason, asked_detail FROM decisions ORDER BY id',
    );
    const waits = {
      state: 'pending_approval',
      rests_on: 'two',
      amount: '900',
      currency: 'usdc',
      asked_reason: 'credential_refused',
      asked_detail: '400 other: it says so',
    };
    expect(rows).toEqual([
      { ...waits, principal: 'ann' },
      { ...waits, principal: null },
      {
        state: 'applied',
        principal: 'ann',
        rests_on: 'one',
        amount: '900',
        currency: 'usdc',
        asked_reason: null,
        asked_detail: null,
      },
    ]);

    const decisions = createDecisions(connection, { approvalThreshold: 1_000n, clock });
    const approve = async (digit: number, by: string) =>
      (
        await decisions.approve({
          decisionId: id(10 + digit) as never,
          by,
          note: 'yes',
          verified: { kind: 'not_needed' },
        })
      ).kind;
    expect([await approve(SETTLEMENTS.asked, 'ann'), await approve(SETTLEMENTS.asked, 'bob')]).toEqual([
      'self_approval',
      'applied',
    ]);
    expect([
      await approve(SETTLEMENTS.claimed, 'ann'),
      await approve(SETTLEMENTS.claimed, 'ann'),
      await approve(SETTLEMENTS.claimed, 'bob'),
    ]).toEqual(['pending_approval', 'self_approval', 'applied']);
  } finally {
    await connection.close();
  }
});

it('what a request is about is not read from the name that its requester claimed', async () => {
  const connection = createDatabase({ url: database.url, clock: movableClock() });
  try {
    const decision = id(11);
    const by = 'eve; before that: late_success: no';
    await withoutTriggers(connection, async (query) => {
      await query(
        `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, certainty, asset, decimals,
           spent, attention_reason, attention_since, attention_detail, next_check_at)
         VALUES ($1, 'k', 'k', 'c', 'api', 'x402', 'auth-server:x402', 'needs_attention', 'absent', 'USDC', 6, 9000000,
           'approval_pending', now(), $2, now())`,
        [
          id(1),
          `${by} asks to write_off (decision ${decision}); before that: credential_refused: 400; before that: a: b`,
        ],
      );
      await query(
        `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note)
         VALUES ($1, 'settlement', $2, 'write_off', 'pending_approval', $3, false, 'n')`,
        [decision, id(1), by],
      );
    });
    await migrate(database.url);
    expect(await connection.query('SELECT by, asked_reason, asked_detail FROM decisions')).toEqual([
      { by, asked_reason: 'credential_refused', asked_detail: '400; before that: a: b' },
    ]);
    await expect(connection.query(`UPDATE decisions SET asked_reason = 'other'`)).rejects.toThrow('cannot be changed');
  } finally {
    await connection.close();
  }
});

it('a payment that was given up and can still be paid is read from tomorrow on', async () => {
  const clock = movableClock();
  const connection = createDatabase({ url: database.url, clock });
  try {
    await withoutTriggers(connection, async (query) => {
      for (const [digit, word] of ['requires_capture', 'failed'].entries()) {
        await query(`INSERT INTO orders (id, currency, amount, status) VALUES ($1, 'USD', 900, 'payment_failed')`, [
          id(digit),
        ]);
        await query(
          `INSERT INTO payments (id, order_id, amount, currency, status, certainty, provider_status, idempotency_key,
             hyperswitch_payment_id, written_off_at)
           VALUES ($1, $1, 900, 'USD', 'cancelled', 'done', $2, $3, $3, now())`,
          [id(digit), word, `pay_${digit}`],
        );
      }
    });
    await migrate(database.url);
    const due = `SELECT next_check_at IS NOT NULL AS due, provider_final, captured_known FROM payments ORDER BY id`;
    expect(await connection.query(due)).toEqual([
      { due: true, provider_final: false, captured_known: true },
      { due: false, provider_final: true, captured_known: true },
    ]);
  } finally {
    await connection.close();
  }
});
