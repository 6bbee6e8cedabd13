import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ActionOf, actionsOf, DECIDABLE_KINDS, type DecidableKind } from '../../src/domain/decisions/decisions.js';
import { TOKENS } from '../support/api.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import { UNDECIDED, type Undecided, VARIANTS } from '../support/undecided-items.js';
import { isUnauthenticated, openWays, WAYS, type Way } from '../support/ways-to-decide.js';
import { sampleOf } from '../support/whole-or-sample.js';

/**
 * Kind × action × way × amount below, at and above the threshold, walked whole. What is expected stands here by hand: an
 * action that is added to the catalogue does not compile, and fails, until somebody has said by whose word it is done.
 */

const THRESHOLD = 1_000n;
const AMOUNTS = { below: THRESHOLD - 1n, at: THRESHOLD, above: THRESHOLD + 1n } as const;
type Size = keyof typeof AMOUNTS;

/** Below, at and above: `1` at once, on one word or nobody's; `2` it takes two authenticated persons. */
type Row = readonly [below: 1 | 2, at: 1 | 2, above: 1 | 2];
interface Expected {
  /** By the API, and by the CLI with a token. */
  readonly known: Row;
  /** By signal and update, and by the CLI without a token. */
  readonly nobody: Row;
}
const ALWAYS_ONE: Expected = { known: [1, 1, 1], nobody: [1, 1, 1] };
const ALWAYS_TWO: Expected = { known: [2, 2, 2], nobody: [2, 2, 2] };
const BY_AMOUNT: Expected = { known: [1, 2, 2], nobody: [1, 2, 2] };
/** A judgement that nothing at a provider could bear out: a bare word never does it. */
const BY_PERSONS_ONLY: Expected = { known: [1, 2, 2], nobody: [2, 2, 2] };

const EXPECTED: { readonly [Kind in DecidableKind]: { readonly [Action in ActionOf<Kind>]: Expected } } = {
  settlement: { retry: ALWAYS_ONE, settled: ALWAYS_TWO, write_off: BY_AMOUNT },
  transfer: { retry: ALWAYS_ONE, adopt: ALWAYS_ONE, release: BY_PERSONS_ONLY, write_off: BY_AMOUNT },
  reversal: {
    retry: ALWAYS_ONE,
    adopt: ALWAYS_ONE,
    count_as_share: BY_PERSONS_ONLY,
    take_missing: BY_PERSONS_ONLY,
    take_all: BY_PERSONS_ONLY,
    take_available: BY_PERSONS_ONLY,
    offset: BY_PERSONS_ONLY,
    write_off: BY_AMOUNT,
  },
  payment: {
    retry: ALWAYS_ONE,
    cancel: BY_PERSONS_ONLY,
    accept_capture: ALWAYS_TWO,
    given_back: ALWAYS_TWO,
    not_given_back: ALWAYS_TWO,
    write_off: BY_AMOUNT,
  },
  refund: {
    retry: ALWAYS_ONE,
    compensate: ALWAYS_TWO,
    write_off: BY_PERSONS_ONLY,
  },
  dispute: {
    retry: ALWAYS_ONE,
    adopt: BY_PERSONS_ONLY,
    funds_out: BY_PERSONS_ONLY,
    funds_back: ALWAYS_TWO,
    write_off: BY_PERSONS_ONLY,
  },
};
const EXPECTED_OF_VARIANTS: { readonly [Name in keyof typeof VARIANTS]: Expected } = {
  'settlement: settled, and the chain shows it': ALWAYS_ONE,
  'settlement: settled, and the answer was of another amount': ALWAYS_TWO,
  'settlement: settled, and somebody else seems to have settled it': ALWAYS_TWO,
  'transfer: adopt, and what is there does not bear our mark': BY_PERSONS_ONLY,
  'transfer: adopt, to say that a seller who was paid twice paid back': BY_PERSONS_ONLY,
  'reversal: adopt, and what is there does not bear our mark': BY_PERSONS_ONLY,
  'refund: write_off, and sellers are owed more than this one was': BY_PERSONS_ONLY,
  'settlement: write_off, and the chain shows nothing': BY_AMOUNT,
  'settlement: write_off, and nobody knows whether it moved': ALWAYS_TWO,
};

interface Case {
  readonly name: string;
  readonly kind: DecidableKind;
  readonly action: string;
  readonly expected: Expected;
  readonly make: (test: TestLedger, amount: bigint) => Promise<Undecided>;
}
type Table<Value> = Readonly<Record<string, Readonly<Record<string, Value | undefined>> | undefined>>;

const CASES: readonly Case[] = [
  ...DECIDABLE_KINDS.flatMap((kind) =>
    actionsOf(kind).map((action) => {
      const expected = (EXPECTED as Table<Expected>)[kind]?.[action];
      const make = (UNDECIDED as Table<Case['make']>)[kind]?.[action];
      if (!expected || !make) throw new Error(`nobody has said by whose word ${action} of a ${kind} is done`);
      return { name: `${kind}: ${action}`, kind, action, expected, make };
    }),
  ),
  ...Object.entries(VARIANTS).map(([name, variant]) => ({
    name,
    ...variant,
    expected: EXPECTED_OF_VARIANTS[name as keyof typeof VARIANTS],
  })),
];

let test: TestLedger;
let ways: Awaited<ReturnType<typeof openWays>>;
let providers: Pick<Undecided, 'stripe' | 'chain' | 'hyperswitch'> = {};
beforeAll(async () => {
  test = await openTestLedger({ approvalThreshold: THRESHOLD, offsets: { on: true, limitPercent: 100 } });
  ways = await openWays(test, String(THRESHOLD), () => ({
    stripe: providers.stripe,
    chain: providers.chain,
    hyperswitch: providers.hyperswitch,
  }));
});
afterAll(async () => {
  await ways.close();
  await test.dispose();
});

const decisionsOf = async (id: string) =>
  (
    await test.database.query<{ state: string; rests_on: string | null }>(
      `SELECT state, rests_on FROM decisions WHERE item_id = $1 ORDER BY requested_at, id`,
      [id],
    )
  ).map(({ state, rests_on }) => `${state} ${rests_on}`);

/** What this way of saying it comes to, followed to its end: who could approve it, and who could not. */
async function walk({ kind, action, make }: Case, way: Way, size: Size): Promise<1 | 2> {
  const item = await make(test, AMOUNTS[size]);
  providers = item;
  const said = { kind, itemId: item.id, action, evidence: action === 'retry' ? undefined : item.evidence };
  const { outcome, decisionId } = await ways.say(way, said);
  if (outcome === 'applied') {
    expect(await decisionsOf(item.id)).toEqual([expect.stringMatching(/^applied (nobody|one)$/)]);
    return 1;
  }
  expect(outcome).toBe('pending_approval');
  expect(await decisionsOf(item.id)).toEqual(['pending_approval two']);
  // Who asks by the API or a message is approved by the API, who asks by a command by a command: no way needs another one.
  const approve = (token: string) => ways.approve(decisionId ?? '', token, way.startsWith('CLI') ? 'CLI' : 'API');
  // Olga has asked, or somebody has in her name; she has a token to approve with, too.
  const answers = isUnauthenticated(way)
    ? [await approve(TOKENS.operatorAsApprover), await approve(TOKENS.operatorAsApprover)]
    : [await approve(TOKENS.operatorAsApprover)];
  expect(answers).toEqual(isUnauthenticated(way) ? ['pending_approval', 'self_approval'] : ['self_approval']);
  expect(await decisionsOf(item.id)).toEqual(['pending_approval two']);
  expect(await approve(TOKENS.approver)).toBe('applied');
  expect(await decisionsOf(item.id)).toEqual(['applied two']);
  return 2;
}

const TRIED = sampleOf('what can be decided', CASES, {
  nameOf: ({ name }) => name,
  kindOf: ({ kind }) => kind,
  oneIn: 3,
});

describe.each(TRIED)('$name', (one) => {
  it.each(WAYS)('by %s is done by as many as the table says, below, at and above the threshold', async (way) => {
    const expected = one.expected[isUnauthenticated(way) ? 'nobody' : 'known'];
    const walked: (1 | 2)[] = [];
    for (const size of ['below', 'at', 'above'] as const) walked.push(await walk(one, way, size));
    expect(walked).toEqual(expected);
  });
});
