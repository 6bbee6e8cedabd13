import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReversalAnswer } from '../../src/domain/money-answer.js';
import { projectRoot } from '../../src/sandbox/stack/project-root.js';
import { temporalTool } from '../../src/sandbox/stack/tools.js';
import { type MarketplaceStack, startMarketplaceStack } from '../support/marketplace-stack.js';
import { until } from '../support/until.js';

/** Equal items that are stuck for the same reason, each taken further by another way in. */
let stack: MarketplaceStack;
beforeAll(async () => {
  stack = await startMarketplaceStack({ REVERSAL_MAX_RETRIES: '1' });
  await stack.hyperswitch('auto', ['PUT', { refund: { to: 'succeeded', afterMs: 0 } }]);
}, 120_000);
afterAll(() => stack.stop());
beforeEach(async () => {
  await stack.stripe('faults', ['DELETE']);
});

interface Decision {
  readonly action: string;
  readonly note: string;
  readonly evidence?: Readonly<Record<string, string>>;
}

interface Way {
  readonly way: string;
  /** As it is recorded, with or without proof of who it was. */
  readonly by: string;
  readonly authenticated: boolean;
  readonly decide: (id: string, decision: Decision) => Promise<unknown>;
}

const run = promisify(execFile);
const temporal = async (args: readonly string[]): Promise<string> => {
  const program = temporalTool('temporal', process.env);
  return (await run(program, [...args, '--address', stack.at.temporal])).stdout;
};
const makegood = async (args: readonly string[]): Promise<string> => {
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: stack.at.database,
    STRIPE_SECRET_KEY: 'sk_test_sandbox',
    STRIPE_API_BASE: stack.at.stripe,
  };
  return (await run(process.execPath, [join(projectRoot(), 'bin', 'makegood.js'), ...args], { env })).stdout;
};
const message = (decision: Decision, by: string) => [
  '--name',
  'resolve',
  '--input',
  JSON.stringify({ ...decision, by }),
];

const WAYS: readonly Way[] = [
  {
    way: 'temporal workflow signal',
    by: 'ann at the terminal',
    authenticated: false,
    decide: (id, decision) =>
      temporal(['workflow', 'signal', '--workflow-id', `reversal/${id}`, ...message(decision, 'ann at the terminal')]),
  },
  {
    way: 'temporal workflow update execute',
    by: 'ben at the terminal',
    authenticated: false,
    decide: async (id, decision) => {
      const words = message(decision, 'ben at the terminal');
      const said = await temporal(['workflow', 'update', 'execute', '--workflow-id', `reversal/${id}`, ...words]);
      expect(said).toContain('outcome:applied');
    },
  },
  {
    way: 'makegood resolve',
    by: 'cora',
    authenticated: false,
    decide: async (id, { action, note, evidence }) => {
      const proof = evidence ? ['--evidence', JSON.stringify(evidence)] : [];
      const said = await makegood(['resolve', id, action, '--by', 'cora', '--note', note, ...proof, '--json']);
      expect(JSON.parse(said)).toMatchObject({ id, decision_id: expect.any(String) });
    },
  },
  {
    way: 'POST /api/v1/reversals/{id}/resolve',
    by: 'sandbox-operator',
    authenticated: true,
    decide: async (id, decision) => {
      const { status, body } = await stack.post(`reversals/${id}/resolve`, decision, { key: null, as: 'operator' });
      expect({ status, id: body.id }).toEqual({ status: 200, id });
    },
  },
];

const SELLER = 'acct_1Ada';
const SHARE = 3_000;

/** Its whole workflow waits for a person, not the row alone: an update is refused before. */
async function stuckFor(reason: string, order: string): Promise<ReversalAnswer> {
  const { reversals } = await stack.orderUntil(
    `it needs attention for ${reason}`,
    order,
    (seen) => seen.reversals[0]?.attention?.reason === reason,
  );
  const [reversal] = reversals;
  if (!reversal) throw new Error('there is no reversal');
  expect(reversal).toMatchObject({ status: 'permanently_failed', amount: SHARE, stripe_reversal_id: null });
  await until(
    'its workflow waits for a person',
    async () => {
      const state = await temporal([
        'workflow',
        'query',
        '--workflow-id',
        `reversal/${reversal.id}`,
        '--name',
        'state',
      ]);
      return state.includes('needs_attention');
    },
    { limitMs: 10_000 },
  );
  return reversal;
}

/** Taken back once at Stripe, known here by that one's id, and the decision told in full. */
async function expectResolved(
  { way, by, authenticated }: Pick<Way, 'way' | 'by' | 'authenticated'>,
  reversal: ReversalAnswer,
  { decision, since }: { decision: Decision; since: Date },
): Promise<void> {
  const order = await stack.orderUntil(
    `${way} has resolved it`,
    reversal.order_id,
    ({ reversals: [seen] }) => seen?.status === 'reversed',
  );
  const [ours] = order.reversals;
  expect(ours).toMatchObject({ attention: null, certainty: 'done' });
  expect(order.transfers).toMatchObject([{ status: 'reversed', amount_reversed: SHARE }]);
  const theirs = (await stack.books()).reversals.filter(({ transfer }) => transfer === ours?.stripe_transfer_id);
  expect(theirs.map(({ id, amount }) => [id, amount])).toEqual([[ours?.stripe_reversal_id, SHARE]]);
  const decisions = await stack.database.query<{ requested_at: Date }>(
    `SELECT item_kind, action, state, by, authenticated, note, evidence, requested_at
     FROM decisions WHERE item_id = $1`,
    [reversal.id],
  );
  const { action, note, evidence = null } = decision;
  expect(decisions).toMatchObject([
    { item_kind: 'reversal', action, state: 'applied', by, authenticated, note, evidence },
  ]);
  expect(decisions[0]?.requested_at.getTime()).toBeGreaterThanOrEqual(since.getTime());
  const story = await makegood(['show', reversal.id]);
  for (const told of [by, note, ...Object.values(evidence ?? {})]) expect(story).toContain(told);
}

describe('a reversal that somebody made in the dashboard of Stripe, adopted', () => {
  it.each(WAYS)('by $way', async ({ decide, ...way }) => {
    const { id } = await stack.sellPaid({ [SELLER]: SHARE });
    const [transfer] = (await stack.order(id)).transfers;
    const made = await stack.stripe<{ id: string }>('reverse', [
      'POST',
      { transfer: transfer?.stripe_transfer_id ?? '' },
    ]);
    await stack.refund(id);
    const reversal = await stuckFor('foreign_reversal', id);
    const decision = {
      action: 'adopt',
      note: `made by hand in the dashboard, see ticket ${way.by.length}`,
      evidence: { stripe_reversal_id: made.id },
    };
    const since = new Date();
    await decide(reversal.id, decision);
    await expectResolved(way, reversal, { decision, since });
  });
});

describe('a reversal that ran out of retries, retried', () => {
  it.each(WAYS)('by $way', async ({ decide, ...way }) => {
    const { id } = await stack.sellPaid({ [SELLER]: SHARE });
    await stack.stripe('faults', ['PUT', { rules: [{ kinds: ['unavailable'], on: ['reversals.create'] }] }]);
    await stack.refund(id);
    const reversal = await stuckFor('retries_exhausted', id);
    expect(reversal.certainty).toBe('unknown');
    await stack.stripe('faults', ['DELETE']);
    const decision = { action: 'retry', note: 'Stripe is back, says its status page' };
    const since = new Date();
    await decide(reversal.id, decision);
    await expectResolved(way, reversal, { decision, since });
  });
});
