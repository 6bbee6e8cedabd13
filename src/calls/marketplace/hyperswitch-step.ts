import { assertNever } from '../../domain/assert-never.js';
import { type Certainty, certaintyAtSend, joinCertainty } from '../../domain/calls/certainty.js';
import { HYPERSWITCH_ABSENCE } from '../../domain/calls/key-age.js';
import type { KeyedAnswer, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { FollowStep } from '../steps.js';
import type { Control, HyperswitchAccount } from './hyperswitch-account.js';

/** One money call at Hyperswitch whose key is the id of what it makes: how it is sent, read and recorded. */
export interface HyperswitchCall<Facts> {
  readonly certainty: Certainty;
  /** A no that came while an earlier attempt's outcome was unknown. */
  readonly refusal: string | null;
  /** @returns undefined: the claim lapsed, nothing may be sent */
  leaves(): Promise<string | undefined>;
  /** @param params what leaves() froze */
  make(params: string): Promise<KeyedAnswer<Facts>>;
  read(): Promise<ReadAnswer<Facts>>;
  /** Why this answer is not about our account. */
  misfit(facts: Facts): Promise<string | undefined>;
  /** @returns proofs of absence since the last send */
  absent(refusal: string | null): Promise<number>;
  refused(detail: string): Promise<void>;
  unread(outcome: {
    readonly certainty: Certainty;
    readonly detail: string;
    readonly nextCheckMs: number;
  }): Promise<void>;
  /** A payment that Hyperswitch surely holds, and not this one, is read. */
  control(): Promise<Control>;
  ask(question: {
    readonly certainty: Certainty;
    readonly reason: AttentionReason;
    readonly detail: string;
  }): Promise<void>;
  apply(facts: Facts): Promise<void>;
}

export const ASK_AGAIN_MS = 5_000;

/** @returns undefined: the ledger holds what was read, or asked about; otherwise why there is nothing new */
export async function makeOrRead<Facts>(
  call: HyperswitchCall<Facts>,
  account: HyperswitchAccount,
): Promise<FollowStep | undefined> {
  const { certainty } = call;
  if (certainty !== 'not_sent') {
    const answer = await call.read();
    if (answer.kind === 'found') return await apply(call, answer.value, certainty);
    if (answer.kind !== 'missing') return await nothingNew(call, answer);
    // Known to have existed, or refused: only a look can tell more. Otherwise its id is its key, and it is sent again.
    if (certainty === 'done' || call.refusal !== null) return await withoutIt(call, answer.detail);
  }
  const control = await (certainty === 'not_sent' ? account.verify() : call.control());
  if (control.kind === 'mismatch') return await asked(call, { certainty, detail: control.detail });
  if (control.kind === 'unread') return await nothingNew(call, { ...control, retryAfterMs: null });
  const params = await call.leaves();
  if (params === undefined) return { kind: 'later', afterMs: 1_000, why: 'the claim lapsed before the call' };
  const answer = await call.make(params);
  switch (answer.kind) {
    case 'done':
      return await apply(call, answer.value, 'unknown');
    case 'refused':
    case 'short':
      return await afterRefusal(call, answer.detail);
    case 'busy':
      return await later(call, {
        certainty: answer.executed === 'no' ? certainty : 'unknown',
        afterMs: answer.retryAfterMs ?? ASK_AGAIN_MS,
        detail: answer.detail,
      });
    case 'unclear':
      return await later(call, { certainty: 'unknown', afterMs: 1_000, detail: answer.detail });
    case 'misdirected':
      return await later(call, { certainty, afterMs: 30_000, detail: answer.detail });
    default:
      return assertNever(answer);
  }
}

/** @param certainty what is known if the answer is about somebody else's money */
async function apply<Facts>(
  call: HyperswitchCall<Facts>,
  facts: Facts,
  certainty: Certainty,
): Promise<FollowStep | undefined> {
  const detail = await call.misfit(facts);
  if (detail !== undefined) return await asked(call, { certainty, detail });
  await call.apply(facts);
  return undefined;
}

async function asked<Facts>(
  call: HyperswitchCall<Facts>,
  { certainty, detail }: { readonly certainty: Certainty; readonly detail: string },
): Promise<undefined> {
  await call.ask({ certainty, reason: 'provider_mismatch', detail });
}

async function later<Facts>(
  call: HyperswitchCall<Facts>,
  { certainty, afterMs, detail }: { readonly certainty: Certainty; readonly afterMs: number; readonly detail: string },
): Promise<FollowStep> {
  await call.unread({ certainty, detail, nextCheckMs: afterMs });
  return { kind: 'later', afterMs, why: detail };
}

const nothingNew = <Facts>(
  call: HyperswitchCall<Facts>,
  { detail, ...answer }: { readonly detail: string; readonly retryAfterMs?: number | null },
): Promise<FollowStep> =>
  later(call, { certainty: call.certainty, afterMs: answer.retryAfterMs ?? ASK_AGAIN_MS, detail });

/** A first no is believed when Hyperswitch's own records hold nothing of ours either; after an unknown it proves nothing. */
async function afterRefusal<Facts>(call: HyperswitchCall<Facts>, refusal: string): Promise<FollowStep | undefined> {
  const answer = await call.read();
  if (answer.kind === 'found') return await apply(call, answer.value, 'unknown');
  const unsure = (control: string) =>
    later(call, { certainty: 'unknown', afterMs: ASK_AGAIN_MS, detail: `${refusal}; then: ${control}` });
  if (answer.kind !== 'missing') return await unsure(answer.detail);
  const control = await call.control();
  if (control.kind === 'mismatch') return await asked(call, { certainty: 'unknown', detail: control.detail });
  if (control.kind === 'unread') return await unsure(control.detail);
  if (joinCertainty(certaintyAtSend(call.certainty), 'absent') === 'absent') {
    await call.refused(refusal);
    return undefined;
  }
  if (control.kind === 'ours') await call.absent(refusal);
  return await later(call, { certainty: 'unknown', afterMs: HYPERSWITCH_ABSENCE.apartMs, detail: refusal });
}

/** Nothing is sent. So many looks, so far apart, each beside one that finds what must be there, close it. */
async function withoutIt<Facts>(call: HyperswitchCall<Facts>, detail: string): Promise<FollowStep | undefined> {
  const control = await call.control();
  if (control.kind === 'mismatch') return await asked(call, { certainty: call.certainty, detail: control.detail });
  if (control.kind === 'unread') return await nothingNew(call, { detail: `${detail}; then: ${control.detail}` });
  if (control.kind === 'none_known' && call.certainty === 'done')
    return await asked(call, { certainty: 'done', detail: `${detail}, and it had it: check HYPERSWITCH_API_KEY` });
  const proofs = control.kind === 'ours' ? await call.absent(null) : 0;
  if (proofs < HYPERSWITCH_ABSENCE.proofs)
    return await later(call, { certainty: call.certainty, afterMs: HYPERSWITCH_ABSENCE.apartMs, detail });
  if (call.certainty !== 'done') {
    await call.refused(call.refusal ?? detail);
    return undefined;
  }
  await call.ask({
    certainty: 'done',
    reason: 'resource_missing',
    detail: `${detail}, and it had it: find out at Hyperswitch what became of the money, then resolve`,
  });
  return undefined;
}
