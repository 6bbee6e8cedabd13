import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CloseTakenBack, SessionChange } from '../../../../src/ledger/settlements/settlement-types.js';
import { aSession, atomic, ledgerForFile } from '../../../support/ledger-fixtures.js';

/** What was charged for bytes that never left is taken back, as long as no call can be under way for it. */

const test = await ledgerForFile();

type Session = ReturnType<typeof aSession>;
const own = ({ id, lease, closeToken }: Session) => ({ id, lease, closeToken });

function closing(session: Session, spent: number, changes: object = {}): SessionChange {
  return {
    ...own(session),
    kind: 'close',
    by: 'end',
    spent: atomic(spent),
    body: `body of ${spent}`,
    delivery: 'unknown',
    ...changes,
  };
}

/** What is left of it is `spent`. */
function takingBack({ id, closeToken }: Session, spent: number, changes: object = {}): CloseTakenBack {
  return {
    kind: 'take_back',
    id,
    closeToken,
    spent: atomic(spent),
    body: spent === 0 ? null : `body of ${spent}`,
    ...changes,
  };
}

async function opened(changes: Partial<Session> = {}): Promise<Session> {
  const session = aSession(changes.lease ?? (await test.ledger.takeLease('test', 30_000)), changes);
  expect(await test.ledger.openSession(session)).toBe('opened');
  return session;
}

async function closed(spent = 3_000, changes: Partial<Session> = {}): Promise<Session> {
  const session = await opened(changes);
  expect(await test.ledger.commitSessions([closing(session, spent)])).toEqual(['committed']);
  return session;
}

const claim = async ({ id }: Session, runner = 'worker') =>
  (await test.ledger.claimSettlements([id], runner, 10_000)).claimed[0];

async function rowOf({ id }: Session) {
  const [row] = await test.database.query<{ status: string; spent: string; unserved: string | null }>(
    'SELECT status, spent::text, unserved::text FROM settlements WHERE id = $1',
    [id],
  );
  return row;
}

describe('a close of which nothing left', () => {
  it('is taken back whole: nothing is settled, the story says so, and the credential is good again', async () => {
    const session = await closed();
    expect(await test.ledger.takeBackClose(takingBack(session, 0))).toBe('committed');
    expect(await rowOf(session)).toEqual({ status: 'released', spent: '0', unserved: '3000' });
    expect(await claim(session)).toBeUndefined();
    const story = await test.database.query(
      `SELECT kind, detail ->> 'spent' AS spent, detail ->> 'unserved' AS unserved FROM operation_events
       WHERE item_id = $1 ORDER BY seq`,
      [session.id],
    );
    expect(story).toEqual([
      { kind: 'closed', spent: '3000', unserved: null },
      { kind: 'released', spent: '0', unserved: '3000' },
    ]);
    await opened({ identity: session.identity });
  });

  it('is taken back in part: exactly what is left is sent', async () => {
    const session = await closed();
    expect(await test.ledger.takeBackClose(takingBack(session, 1_000))).toBe('committed');
    expect(await rowOf(session)).toEqual({ status: 'pending', spent: '1000', unserved: '2000' });
    expect(await claim(session)).toMatchObject({ spent: '1000', body: 'body of 1000' });
  });

  it('counts as an answer that cost its payer nothing where it was he who left', async () => {
    const payer = `payer ${randomUUID()}`;
    for (const releasedBy of [undefined, 'client_left'] as const)
      await test.ledger.takeBackClose(takingBack(await closed(10, { payer, releasedLimit: 2 }), 0, { releasedBy }));
    const more = async (releasedLimit: number) =>
      test.ledger.openSession(aSession(await test.ledger.takeLease('test', 30_000), { payer, releasedLimit }));
    expect(await more(1)).toMatchObject({ limitedForMs: expect.any(Number) });
    expect(await more(2)).toBe('opened');
  });

  it('stays billed where it is somebody else who asks, or more than was billed, or once more', async () => {
    const session = await closed();
    const stranger = { ...session, closeToken: randomUUID() };
    expect(await test.ledger.takeBackClose(takingBack(stranger, 0))).toBe('lost');
    expect(await test.ledger.takeBackClose(takingBack(session, 3_000))).toBe('lost');
    expect(await test.ledger.takeBackClose(takingBack(session, 4_000))).toBe('lost');
    expect(await test.ledger.takeBackClose(takingBack(session, 2_000))).toBe('committed');
    expect(await test.ledger.takeBackClose(takingBack(session, 2_000))).toBe('lost');
    expect(await rowOf(session)).toEqual({ status: 'pending', spent: '2000', unserved: '1000' });
  });

  it('stays billed where it was the sweep that closed it', async () => {
    const session = await opened();
    await test.ledger.commitSessions([{ ...own(session), kind: 'checkpoint', spent: atomic(500) }]);
    await test.ledger.giveUpSessions([session]);
    const [abandoned] = (await test.ledger.abandonedSessions(100)).filter(({ id }) => id === session.id);
    expect(await test.ledger.closeAbandoned(abandoned!, 'the body')).toBe(true);
    expect(await test.ledger.takeBackClose(takingBack(session, 0))).toBe('lost');
    expect(await rowOf(session)).toEqual({ status: 'pending', spent: '500', unserved: null });
  });
});

describe('once a call may have been sent for it', () => {
  it('nothing is taken back, while it is under way and whatever came of it', async () => {
    const session = await closed();
    await claim(session);
    expect(await test.ledger.takeBackClose(takingBack(session, 0))).toBe('lost');
    await test.ledger.recordAttempts([
      {
        id: session.id,
        runner: 'worker',
        answer: { kind: 'unclear', why: 'no_answer', detail: 'no answer in time' },
        decision: { do: 'retry', certainty: 'unknown', afterMs: 1_000 },
        patient: true,
      },
    ]);
    expect(await test.ledger.takeBackClose(takingBack(session, 0))).toBe('lost');
    expect(await rowOf(session)).toEqual({ status: 'pending', spent: '3000', unserved: null });
  });

  it('whoever takes back waits for the claim that came first, and finds it', async () => {
    const session = await closed();
    const taking = test.database.transaction(async (query) => {
      await query(`SELECT * FROM claim_settlements($1, 'worker', interval '10 seconds')`, [[session.id]]);
      // In an object, because this transaction must end before it can.
      return { outcome: test.ledger.takeBackClose(takingBack(session, 0)) };
    });
    expect(await (await taking).outcome).toBe('lost');
    expect(await rowOf(session)).toMatchObject({ status: 'pending', spent: '3000' });
  });

  it('a worker waits for what was taken back first, and sends nothing, or what is left', async () => {
    for (const [left, body] of [
      [0, null],
      [1_000, 'body of 1000'],
    ] as const) {
      const session = await closed();
      const taking = test.database.transaction(async (query) => {
        const by = body === null ? 'NULL, NULL, NULL' : 'sealed, sealed_key_id, body_sha256';
        await query(`SELECT take_back_close(id, $2, $3, ${by}, NULL) FROM settlements WHERE id = $1`, [
          session.id,
          session.closeToken,
          left,
        ]);
        return { claimed: claim(session) };
      });
      const claimed = await (await taking).claimed;
      expect(claimed?.spent).toBe(body === null ? undefined : '1000');
    }
  });

  it('of a worker and whoever takes back at once exactly one has his way', async () => {
    const sessions = await Promise.all(Array.from({ length: 40 }, () => closed()));
    const fates = await Promise.all(
      sessions.map(async (session, at) => {
        const ways = [
          async () => (await claim(session)) !== undefined,
          async () => (await test.ledger.takeBackClose(takingBack(session, 0))) === 'committed',
        ] as const;
        const [first, second] = at % 2 === 0 ? [ways[0](), ways[1]()] : [ways[1](), ways[0]()];
        return (await Promise.all([first, second])).filter(Boolean).length;
      }),
    );
    expect(fates).toEqual(sessions.map(() => 1));
    for (const session of sessions) {
      const row = await rowOf(session);
      expect([row?.status, row?.spent]).toEqual(row?.unserved === null ? ['pending', '3000'] : ['released', '0']);
    }
  });

  it('no statement takes anything back, whoever writes it', async () => {
    const session = await closed();
    const write = (changes: string) =>
      test.database.query(`UPDATE settlements SET ${changes} WHERE id = $1`, [session.id]);
    await expect(write('spent = 0, unserved = 2999')).rejects.toThrow('cannot be taken back');
    await expect(write('unserved = 1')).rejects.toThrow('cannot be taken back');
    await expect(write(`status = 'released', next_check_at = NULL`)).rejects.toThrow('pending cannot become released');
    await claim(session);
    await expect(write('spent = 1000, unserved = 2000')).rejects.toThrow('cannot be taken back');
  });
});

describe('a checkpoint for bytes that never left', () => {
  it('is taken back by the close, and does not come back when it is late', async () => {
    const session = await opened();
    const checkpoint: SessionChange = { ...own(session), kind: 'checkpoint', spent: atomic(5_000) };
    expect(await test.ledger.commitSessions([checkpoint])).toEqual(['committed']);
    const lower = closing(session, 2_000);
    expect(await test.ledger.commitSessions([lower])).toEqual(['lost']);
    expect(await test.ledger.commitSessions([{ ...lower, takesBack: true } as SessionChange])).toEqual(['committed']);
    expect(await test.ledger.commitSessions([checkpoint])).toEqual(['lost']);
    expect(await rowOf(session)).toEqual({ status: 'pending', spent: '2000', unserved: '3000' });
  });

  it('is released where nothing of it was let go', async () => {
    const session = await opened();
    await test.ledger.commitSessions([{ ...own(session), kind: 'checkpoint', spent: atomic(5_000) }]);
    const release = closing(session, 0, { by: 'abort', body: null, delivery: null, takesBack: true });
    expect(await test.ledger.commitSessions([release, closing(await opened(), 7)])).toEqual(['committed', 'committed']);
    expect(await rowOf(session)).toEqual({ status: 'released', spent: '0', unserved: '5000' });
  });
});

it('the next voucher of a channel waits no more for one that was taken back', async () => {
  const channel = `0x${randomUUID().replaceAll('-', '').repeat(2)}`;
  const voucher = (cumulative: number) =>
    ({ voucher: { channel, cumulative: atomic(cumulative) } }) as Partial<Session>;
  const first = await closed(3_000, voucher(10_000));
  const second = await closed(2_000, voucher(20_000));
  expect(await claim(second)).toBeUndefined();
  expect(await test.ledger.takeBackClose(takingBack(first, 0))).toBe('committed');
  expect(await claim(second)).toMatchObject({ spent: '2000' });
});

describe('a close whose answer is given once more', () => {
  it('is taken back or given, whichever comes first, and never both', async () => {
    for (let nth = 0; nth < 20; nth += 1) {
      const session = await closed();
      const left = nth % 2 === 0 ? 0 : 1_000;
      const taking = () => test.ledger.takeBackClose(takingBack(session, left));
      const having = () => test.ledger.hadAgain({ id: session.id, spent: atomic(3_000) });
      const [had, back] = nth % 4 < 2 ? await Promise.all([having(), taking()]) : await bothWays(taking, having);
      expect([had, back]).toEqual(back === 'committed' ? [false, 'committed'] : [true, 'lost']);
      expect(await rowOf(session)).toMatchObject({ spent: had ? '3000' : String(left) });
    }
  });

  it('is not taken back afterwards', async () => {
    const session = await closed();
    expect(await test.ledger.hadAgain({ id: session.id, spent: atomic(3_000) })).toBe(true);
    expect(await test.ledger.takeBackClose(takingBack(session, 0))).toBe('lost');
  });
});

async function bothWays<A, B>(first: () => Promise<A>, second: () => Promise<B>): Promise<[B, A]> {
  const [a, b] = await Promise.all([first(), second()]);
  return [b, a];
}
