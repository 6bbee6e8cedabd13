import type { Certainty } from '../../../../src/domain/calls/certainty.js';
import type { LeaseId } from '../../../../src/domain/ids.js';
import { toAtomic } from '../../../../src/domain/money.js';
import type { Delivery } from '../../../../src/domain/settlements/settlement-status.js';
import type {
  ChangeOutcome,
  CloseTakenBack,
  EarlierUse,
  Lease,
  NamedAnswer,
  NewSession,
  OpenOutcome,
  ReleaseCause,
  SessionChange,
  SessionLedger,
  SettledFacts,
  TakenAnswer,
} from '../../../../src/sessions/session-ledger.js';

export interface FakeRow {
  readonly session: NewSession;
  status: 'open' | 'pending' | 'released' | 'settled' | 'needs_attention' | 'written_off';
  certainty: Certainty;
  answer: 'due' | 'serving' | 'given' | null;
  token: string | null;
  spent: bigint;
  body: string | null;
  delivery: Delivery | null;
  closedBy: string | null;
  releasedBy: ReleaseCause | null;
  kept: string | null;
  hadAgain: boolean;
}

/** What one commit does: happens as usual, is lost before or after it happened, or never answers. */
type Fault = 'refuse' | 'lose-answer' | 'hang';

/** The ledger's behaviour as SessionLedger states it, in memory, with faults and a brake. */
export class FakeLedger implements SessionLedger {
  readonly rows = new Map<string, FakeRow>();
  readonly commits: (readonly SessionChange[])[] = [];
  readonly opens: NewSession[] = [];
  readonly deliveries: { id: string; delivery: Delivery }[] = [];
  /** Faults of the next commits, in order. */
  readonly commitFaults: Fault[] = [];
  /** Answers of the next openings instead of the usual one. */
  readonly openAnswers: (OpenOutcome | 'reject' | 'reject-after')[] = [];
  poisoned: (change: SessionChange) => boolean = () => false;
  closeStateDown = false;
  commitsDown = false;
  /** A worker has claimed what it is asked to take back. */
  claimed = false;
  /** The ledger is gone from this commit on, counted from 1. */
  lostFrom: number | undefined;
  renewal: 'ok' | 'lost' | 'down' = 'ok';
  #brake: { wait: Promise<void>; release: () => void } | undefined;
  #leases = 0;

  /** Commits wait until the returned function is called. */
  hold(): () => void {
    const { promise: wait, resolve: release } = withResolvers();
    this.#brake = { wait, release };
    return () => {
      this.#brake = undefined;
      release();
    };
  }

  only(): FakeRow {
    const [row, ...more] = this.rows.values();
    if (!row || more.length > 0) throw new Error(`expected one session, found ${this.rows.size}`);
    return row;
  }

  async openSession(session: NewSession): Promise<OpenOutcome> {
    this.opens.push(session);
    const answer = this.openAnswers.shift();
    if (answer === 'reject') throw new Error('the database is down');
    if (answer && answer !== 'reject-after') return answer;
    const used = [...this.rows.values()].some(
      (row) =>
        row.status !== 'released' && (row.session.identity === session.identity || row.session.key === session.key),
    );
    if (used) return 'identity_used';
    this.rows.set(session.id, {
      session,
      status: 'open',
      certainty: 'not_sent',
      answer: null,
      token: null,
      spent: 0n,
      body: null,
      delivery: null,
      closedBy: null,
      releasedBy: null,
      kept: null,
      hadAgain: false,
    });
    if (answer === 'reject-after') throw new Error('connection lost');
    return 'opened';
  }

  async findEarlierUse(identity: string): Promise<EarlierUse | undefined> {
    if (this.closeStateDown) throw new Error('the database is down');
    const row = [...this.rows.values()].find((one) => one.status !== 'released' && one.session.identity === identity);
    if (row === undefined) return undefined;
    const { status, certainty, answer, session } = row;
    const { id, asset, decimals, contentSha256 } = session;
    return { id, status, certainty, answer, topsUp: false, asset, decimals, contentSha256 };
  }

  async findNamedAnswer(nameSha256: string): Promise<NamedAnswer | undefined> {
    const row = [...this.rows.values()].find(
      (one) => one.status !== 'released' && one.session.named?.nameSha256 === nameSha256,
    );
    const { named } = row?.session ?? {};
    if (row === undefined || named === undefined) return undefined;
    const { status, answer, session, kept } = row;
    const { requestSha256 } = named;
    const spent = toAtomic(row.spent);
    return { id: session.id, requestSha256, status, answer, kept, spent, ...settledFacts(row) };
  }

  async hadAgain({ id }: Pick<NamedAnswer, 'id'>): Promise<boolean> {
    const row = this.rows.get(id);
    if (row === undefined || row.status === 'released') return false;
    row.hadAgain = true;
    return true;
  }

  closeVoucherChannel(): Promise<never> {
    return Promise.reject(new Error('this ledger has no channels'));
  }

  beginTopUp(): Promise<never> {
    return Promise.reject(new Error('this ledger has no channels'));
  }

  async answeredByVoucher(): Promise<boolean> {
    return false;
  }

  async takeAnswer(id: string, token: string): Promise<TakenAnswer | undefined> {
    const row = this.rows.get(id);
    if (row?.status !== 'settled' || row.answer !== 'due') return undefined;
    row.answer = 'serving';
    row.token = token;
    return { spent: toAtomic(row.spent), ...settledFacts(row) };
  }

  async giveAnswer(id: string, token: string): Promise<SettledFacts | undefined> {
    const row = this.rows.get(id);
    if (row?.answer !== 'due') return undefined;
    row.answer = 'given';
    row.token = token;
    return settledFacts(row);
  }

  async answerGiven(id: string, token: string): Promise<boolean> {
    const row = this.rows.get(id);
    if (row?.token !== token) return false;
    row.answer = 'given';
    return true;
  }

  async answerNotGiven(id: string, token: string): Promise<void> {
    const row = this.rows.get(id);
    if (row?.token === token && (row.answer === 'serving' || row.answer === 'given')) row.answer = 'due';
  }

  async giveUpSessions(sessions: readonly { id: string; closeToken: string }[]): Promise<void> {
    if (this.closeStateDown) throw new Error('the database is down');
    for (const { id, closeToken } of sessions) {
      const row = this.rows.get(id);
      if (row?.status === 'open' && row.session.closeToken === closeToken) this.sweepAway(id);
    }
  }

  async commitSessions(changes: readonly SessionChange[]): Promise<ChangeOutcome[]> {
    this.commits.push(changes);
    if (new Set(changes.map((change) => change.id)).size !== changes.length)
      throw new Error('one session twice in one commit');
    const fault = this.commitFaults.shift();
    if (this.#brake) await this.#brake.wait;
    if (fault === 'hang') await new Promise(() => {});
    if (this.#lost() || fault === 'refuse') throw new Error('the database is down');
    const bad = changes.find((change) => this.poisoned(change));
    if (bad) throw new Error('check constraint violated');
    const outcomes = changes.map((change) => this.#apply(change));
    if (fault === 'lose-answer') throw new Error('connection lost');
    return outcomes;
  }

  #lost(): boolean {
    return this.commitsDown || (this.lostFrom !== undefined && this.commits.length >= this.lostFrom);
  }

  #apply(change: SessionChange): ChangeOutcome {
    const row = this.rows.get(change.id);
    const { lease, closeToken } = row?.session ?? {};
    if (!row || row.status !== 'open' || closeToken !== change.closeToken || lease?.id !== change.lease.id)
      return 'lost';
    if (BigInt(change.spent) < row.spent && !(change.kind === 'close' && change.takesBack)) return 'lost';
    row.spent = BigInt(change.spent);
    if (change.kind === 'checkpoint') return 'committed';
    row.status = change.body === null ? 'released' : 'pending';
    row.body = change.body;
    row.delivery = change.delivery;
    row.closedBy = change.by;
    row.releasedBy = change.releasedBy ?? null;
    if (change.withheld) row.answer = 'due';
    row.kept = change.answer ?? null;
    return 'committed';
  }

  async takeBackClose({ id, closeToken, spent, body, releasedBy }: CloseTakenBack): Promise<ChangeOutcome> {
    const row = this.rows.get(id);
    if (this.#lost()) throw new Error('the database is down');
    if (row?.status !== 'pending' || row.session.closeToken !== closeToken || this.claimed || row.hadAgain)
      return 'lost';
    if (row.certainty !== 'not_sent' || row.closedBy === 'sweep' || BigInt(spent) >= row.spent) return 'lost';
    Object.assign(row, { status: body === null ? 'released' : 'pending', spent: BigInt(spent), body, answer: null });
    row.releasedBy = releasedBy ?? null;
    if (body === null) row.delivery = null;
    return 'committed';
  }

  async closeState(id: string, closeToken: string): Promise<'ours' | 'open' | 'lost'> {
    if (this.closeStateDown || this.#lost()) throw new Error('the database is down');
    const row = this.rows.get(id);
    if (row?.session.closeToken !== closeToken) return 'lost';
    if (row.status === 'open') return 'open';
    return row.closedBy === 'sweep' ? 'lost' : 'ours';
  }

  /** What the sweep does to a session of a dead process. */
  sweepAway(id: string): void {
    const row = this.rows.get(id);
    if (!row) throw new Error('no such session');
    row.status = row.spent > 0n ? 'pending' : 'released';
    row.closedBy = 'sweep';
  }

  async recordDeliveries(deliveries: readonly { id: string; delivery: Delivery }[]): Promise<void> {
    this.deliveries.push(...deliveries);
    for (const { id, delivery } of deliveries) {
      const row = this.rows.get(id);
      if (row?.delivery === 'unknown') row.delivery = delivery;
    }
  }

  async requestIdSecret(first: string): Promise<string> {
    return first;
  }

  async takeLease(): Promise<Lease> {
    if (this.renewal === 'down') throw new Error('the database is down');
    this.#leases += 1;
    return { id: `lease-${this.#leases}` as LeaseId, epoch: 1n };
  }

  async renewLease(): Promise<boolean> {
    if (this.renewal === 'down') throw new Error('the database is down');
    const kept = this.renewal === 'ok';
    this.renewal = 'ok';
    return kept;
  }

  async endLease(): Promise<void> {}
}

const settledFacts = ({ session }: FakeRow): SettledFacts => ({
  txHash: '0xfeed',
  payer: session.payer,
  network: session.lookup['network'] ?? null,
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  const made: { resolve?: () => void } = {};
  const promise = new Promise<void>((resolve) => {
    made.resolve = resolve;
  });
  return { promise, resolve: () => made.resolve?.() };
}
