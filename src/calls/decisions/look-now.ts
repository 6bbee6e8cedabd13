import { type DecidableKind, ruleOf } from '../../domain/decisions/decisions.js';
import type { LiveDecision, LiveReading, LookedItem } from '../../domain/explanations/live-reading.js';
import type { JsonObject } from '../../domain/json.js';
import { withTimeout } from '../../domain/timeout.js';
import type { Verification } from '../../ledger/decisions/decision-types.js';
import { type Readers, type SightDependencies, sightOf } from './sights.js';
import type { Statement, Verifier } from './verification.js';

/** A person waits for it. */
const ANSWER_MS = 15_000;

/** Requests of persons go in a lane of their own: they stand behind no seller's thousand. */
const LANE = 'persons';

/**
 * Reads the provider about an item now, and tries each statement on what it shows, as a decision would. Every question is put
 * once, however much rests on it. Nothing is written and nothing moves; a provider that is away is an answer.
 */
export async function lookNow<Dependencies extends SightDependencies>(
  item: LookedItem,
  dependencies: Dependencies,
  verifiersOf: (dependencies: Dependencies) => { readonly [Kind in DecidableKind]: Verifier },
): Promise<LiveReading> {
  const { kind, id, statements } = item;
  const asked = { ...dependencies, ...askingOnce(dependencies) };
  const sight = await sightOf(item, asked);
  const verify = verifiersOf(asked)[kind];
  const decisions: LiveDecision[] = [];
  for (const { action, evidence } of statements) {
    const asks = ruleOf(kind, action)?.asks === true;
    const verified = asks ? await verify({ kind, itemId: id, action, evidence }) : NOT_ASKED;
    decisions.push({ action, ...verdictOn({ kind, action, evidence }, verified) });
  }
  return { sight, decisions };
}

const NOT_ASKED: Verification = { kind: 'not_needed' };

function askingOnce({ stripe, hyperswitch, chain, authorizations }: Readers): Readers {
  const calls = stripe?.inLane(LANE);
  const readRefund = hyperswitch?.readRefund?.bind(hyperswitch);
  return {
    stripe: calls && {
      inLane: constant({
        readTransfer: once((id: string) => calls.readTransfer(id)),
        ...(calls.readBalance ? { readBalance: once(calls.readBalance.bind(calls)) } : {}),
        transfersTo: once((destination: string, since: Date) => calls.transfersTo(destination, since)),
        readDispute: once((id: string) => calls.readDispute(id)),
        ...(calls.readPayment ? { readPayment: once(calls.readPayment.bind(calls)) } : {}),
        ...(calls.refundsOf ? { refundsOf: once(calls.refundsOf.bind(calls)) } : {}),
      }),
    },
    hyperswitch: hyperswitch && {
      readPayment: once((name: string, id: Parameters<typeof hyperswitch.readPayment>[1]) =>
        hyperswitch.readPayment(name, id),
      ),
      ...(readRefund ? { readRefund: once(readRefund) } : {}),
    },
    chain: chain && { lookUp: once((lookup: JsonObject, ms: number) => chain.lookUp(lookup, ms), unanswered) },
    authorizations: authorizations && {
      readUsed: once((signed: Parameters<typeof authorizations.readUsed>[0]) => authorizations.readUsed(signed)),
    },
  };
}

const constant =
  <Value>(value: Value) =>
  () =>
    value;

const unclear = (detail: string) => ({ kind: 'unclear' as const, detail });
const unanswered = (detail: string) => ({ kind: 'unanswered' as const, detail });

/** The same question is put once; one that is not answered in time, or cannot be put, is not answered. */
function once<Asked extends readonly unknown[], Answer>(
  read: (...asked: Asked) => Promise<Answer>,
  late: (detail: string) => Answer | ReturnType<typeof unclear> = unclear,
): (...asked: Asked) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (...asked) => {
    const question = JSON.stringify(asked, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
    const answer =
      answers.get(question) ??
      withTimeout(ANSWER_MS, read(...asked), 'the provider').catch((error: unknown) =>
        late(error instanceof Error ? error.message : 'it cannot be asked'),
      );
    answers.set(question, answer as Promise<Answer>);
    return answer as Promise<Answer>;
  };
}

type Verdict = Omit<LiveDecision, 'action'>;

/** What the ledger would make of it; what it asks beside, it asks when it is decided. */
function verdictOn(
  { kind, action, evidence }: Pick<Statement, 'kind' | 'action' | 'evidence'>,
  verified: Verification,
): Verdict {
  switch (verified.kind) {
    case 'not_needed':
      return { verdict: 'not_in_the_way', words: 'the provider is not asked about this' };
    case 'unanswered':
    case 'refuted':
      return { verdict: 'refused', words: verified.detail };
    case 'absent':
      if (action === 'adopt') return { verdict: 'refused', words: 'the provider has nothing that could be adopted' };
      return { verdict: 'borne_out', words: 'the provider has nothing of it' };
    case 'found': {
      const name = verified.providerId ?? 'it';
      if (action === 'write_off' && kind !== 'payment')
        return { verdict: 'refused', words: `the provider has ${name}: the money moved` };
      return verified.unmarked
        ? { verdict: 'not_in_the_way', words: `the provider has ${name}, which bears no mark of ours` }
        : { verdict: 'borne_out', words: `the provider has ${name}` };
    }
    case 'taken_by_others':
      return {
        verdict: 'not_in_the_way',
        words: `others took ${verified.reversals.map(({ id, amount }) => `${amount} by ${id}`).join(', ') || 'nothing'} of its transfer, and ${verified.left} is left (minor units)${verified.available === undefined ? '' : `; the seller has ${verified.available} at Stripe`}${evidence === null ? '' : '; what is named as evidence is checked when it is decided'}`,
      };
  }
}
