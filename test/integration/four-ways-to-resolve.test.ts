import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import type { ReversalAnswer } from '../../src/domain/marketplace/reversal-answer.js';
import type { SettlementAnswer } from '../../src/domain/settlements/settlement-answer.js';
import { type HyperswitchBooks, type MarketplaceStack, startMarketplaceStack } from '../support/marketplace/stack.js';
import { charges } from '../support/settlements/load-world.js';
import { resolveMessage, temporalCommand } from '../support/temporal-command.js';
import { until } from '../support/until.js';
import { sampleOf } from '../support/whole-or-sample.js';

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
const temporal = (args: readonly string[]) => temporalCommand({ address: stack.at.temporal }, ...args);
const makegood = async (args: readonly string[], token?: string): Promise<string> => {
  const env = {
    ...(token && { MAKEGOOD_TOKEN: token, API_TOKENS: `sandbox-operator:operator:${token}` }),
    PATH: process.env.PATH,
    DATABASE_URL: stack.at.database,
    STRIPE_SECRET_KEY: 'sk_test_sandbox',
    STRIPE_API_BASE: stack.at.stripe,
  };
  return (await run(process.execPath, [join(projectRoot(), 'bin', 'makegood.js'), ...args], { env })).stdout;
};
const message = (decision: Decision, by: string) => resolveMessage({ ...decision, by });

async function update(id: string, decision: Decision, outcome: string): Promise<void> {
  const words = message(decision, 'ben at the terminal');
  const said = await temporal(['workflow', 'update', 'execute', '--workflow-id', `reversal/${id}`, ...words]);
  expect(said).toContain(`outcome:${outcome}`);
}

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
    decide: (id, decision) => update(id, decision, 'applied'),
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

/**
 * Its whole workflow waits for a person, not the row alone: an update is refused before.
 * @param asked since when it waited the last time
 */
async function stuckFor(reason: string, order: string, asked?: string): Promise<ReversalAnswer> {
  const { reversals } = await stack.orderUntil(
    `it needs attention for ${reason}`,
    order,
    ({ reversals: [seen] }) => seen?.attention?.reason === reason && seen.attention.since !== asked,
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

const [SIGNAL, UPDATE, NAMELESS_CLI, API] = WAYS as readonly [Way, Way, Way, Way];
const CLI: Way = {
  way: 'makegood resolve, with a token',
  by: 'sandbox-operator',
  authenticated: true,
  decide: async (id, { action, note, evidence }) => {
    const words = ['--note', note, '--evidence', JSON.stringify(evidence), '--json'];
    const said = await makegood(['resolve', id, action, ...words], stack.at.tokens.operator);
    expect(JSON.parse(said)).toMatchObject({ id, decision_id: expect.any(String) });
  },
};

describe('a reversal that somebody made in the dashboard of Stripe', () => {
  async function made(by: string): Promise<[ReversalAnswer, Decision]> {
    const { id } = await stack.sellPaid({ [SELLER]: SHARE });
    const [transfer] = (await stack.order(id)).transfers;
    const theirs = await stack.stripe<{ id: string }>('reverse', [
      'POST',
      { transfer: transfer?.stripe_transfer_id ?? '' },
    ]);
    await stack.refund(id);
    const reversal = await stuckFor('foreign_reversal', id);
    const note = `made by hand in the dashboard, see ticket ${by.length}`;
    return [reversal, { action: 'adopt', note, evidence: { stripe_reversal_id: theirs.id } }];
  }

  it.each(sampleOf('authenticated ways to adopt', [CLI, API], { nameOf: ({ way }) => way, oneIn: 2 }))(
    'is adopted by $way',
    async ({ decide, ...way }) => {
      const [reversal, decision] = await made(way.by);
      const since = new Date();
      await decide(reversal.id, decision);
      await expectResolved(way, reversal, { decision, since });
    },
  );

  const NAMELESS = [
    { ...SIGNAL },
    { ...UPDATE, decide: (id: string, decision: Decision) => update(id, decision, 'pending_approval') },
    { ...NAMELESS_CLI },
  ];
  it.each(sampleOf('nameless ways to adopt', NAMELESS, { nameOf: ({ way }) => way, oneIn: 3 }))(
    'is not ours because $way says so: nobody was authenticated, and two others have to agree',
    async (way) => {
      const [reversal, decision] = await made(way.by);
      await way.decide(reversal.id, decision);
      const { reversals } = await stack.orderUntil(
        'it waits for approval',
        reversal.order_id,
        ({ reversals: [seen] }) => seen?.attention?.reason === 'approval_pending',
      );
      expect(reversals).toMatchObject([{ status: 'permanently_failed', stripe_reversal_id: null }]);
      const [asked] = await stack.database.query<{ id: string }>('SELECT id FROM decisions WHERE item_id = $1', [
        reversal.id,
      ]);
      const approve = () =>
        stack.post(`decisions/${asked?.id}/approve`, { note: 'seen' }, { key: null, as: 'approver' });
      expect((await approve()).status).toBe(202);
      expect((await approve()).status).toBe(403);
    },
  );
});

describe('a reversal that ran out of retries, retried', () => {
  it.each(sampleOf('ways to retry', WAYS, { nameOf: ({ way }) => way, oneIn: 2 }))(
    'by $way',
    async ({ decide, ...way }) => {
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
    },
  );
});

describe('a message to a workflow that has ended', () => {
  it('is refused to whoever sends it and decides nothing; makegood resolve needs no workflow', async () => {
    const { id } = await stack.sellPaid({ [SELLER]: SHARE });
    await stack.stripe('faults', ['PUT', { rules: [{ kinds: ['unavailable'], on: ['reversals.create'] }] }]);
    await stack.refund(id);
    const reversal = await stuckFor('retries_exhausted', id);
    await stack.stripe('faults', ['DELETE']);
    const workflow = ['--workflow-id', `reversal/${reversal.id}`];
    await temporal(['workflow', 'terminate', ...workflow, '--reason', 'tidied up']);
    const decision = { action: 'retry', note: 'Stripe is back, says its status page' };
    for (const { decide } of [SIGNAL, UPDATE])
      await expect(decide(reversal.id, decision)).rejects.toThrow('workflow execution already completed');
    expect((await stack.order(id)).reversals).toMatchObject([
      { status: 'permanently_failed', attention: reversal.attention },
    ]);

    const since = new Date();
    await NAMELESS_CLI.decide(reversal.id, decision);
    await expectResolved(NAMELESS_CLI, reversal, { decision, since });
    await until(
      'its new workflow has ended',
      async () => (await temporal(['workflow', 'describe', ...workflow])).includes('COMPLETED'),
      { limitMs: 20_000 },
    );
    for (const { decide } of [SIGNAL, UPDATE])
      await expect(decide(reversal.id, decision)).rejects.toThrow('workflow execution already completed');
    // Told once, by the one way that took it; and the money is where it was.
    await expectResolved(NAMELESS_CLI, reversal, { decision, since });
  }, 120_000);
});

describe('a message to the workflow of a charge that has ended', () => {
  const expectRefused = async (workflow: string, decision: Decision) => {
    const said = ['--workflow-id', workflow, ...message(decision, 'ann at the terminal')];
    for (const way of [['signal'], ['update', 'execute']])
      await expect(temporal(['workflow', ...way, ...said])).rejects.toThrow('workflow execution already completed');
  };
  const charge = async (request: object) => {
    const { status, body } = await stack.post('settlements', request, { key: null });
    expect(status).toBe(202);
    return body as SettlementAnswer;
  };
  const now = async (id: string) =>
    await stack.database.query('SELECT status, certainty, attention_reason FROM settlements WHERE id = $1', [id]);
  const decisions = (id: string) =>
    stack.database.query('SELECT action, state, by FROM decisions WHERE item_id = $1', [id]);
  const describeIt = (workflow: string) => temporal(['workflow', 'describe', '--workflow-id', workflow]);

  it('is refused and decides nothing while the charge waits for a person; makegood resolve needs no workflow', async () => {
    const amount = { amount: '3000', asset: 'USDC', decimals: 6 };
    const { id, workflow_id: workflow } = await charge({
      protocol: 'atxp',
      credential: 'no credential of anybody',
      context: {},
      spent: amount,
    });
    const asked = [{ status: 'needs_attention', certainty: 'not_sent', attention_reason: 'credential_undecodable' }];
    expect(await now(id)).toEqual(asked);
    const state = () => temporal(['workflow', 'query', '--workflow-id', workflow ?? '', '--name', 'state']);
    await until('its workflow waits for a person', async () => (await state()).includes('needs_attention'), {
      limitMs: 20_000,
    });
    await temporal(['workflow', 'terminate', '--workflow-id', workflow ?? '', '--reason', 'tidied up']);
    const decision = { action: 'write_off', note: 'the service posted it by mistake' };
    await expectRefused(workflow ?? '', decision);
    expect(await now(id)).toEqual(asked);
    expect(await decisions(id)).toEqual([]);

    await makegood(['resolve', id, 'write_off', '--by', 'cora', '--note', decision.note]);
    const over = [{ status: 'written_off', certainty: 'not_sent', attention_reason: null }];
    expect(await now(id)).toEqual(over);
    await expectRefused(workflow ?? '', { ...decision, action: 'retry' });
    expect(await now(id)).toEqual(over);
    expect(await decisions(id)).toEqual([{ action: 'write_off', state: 'applied', by: 'cora' }]);
  }, 60_000);

  it('is refused and decides nothing once the charge is settled', async () => {
    const [given] = charges(1, ['atxp'], 'closed');
    const { id, workflow_id: workflow } = await charge(given?.request ?? {});
    await until('it is settled', async () => (await now(id))[0]?.['status'] === 'settled', { limitMs: 20_000 });
    const settled = await now(id);
    await until('its workflow has ended', async () => (await describeIt(workflow ?? '')).includes('COMPLETED'), {
      limitMs: 20_000,
    });
    for (const action of ['retry', 'write_off']) await expectRefused(workflow ?? '', { action, note: 'too late' });
    expect(await now(id)).toEqual(settled);
    expect(await decisions(id)).toEqual([]);
  }, 60_000);
});

describe('a reversal that fails whatever is tried', () => {
  it('has its buyer refunded once at Hyperswitch, through retries of every way, repeated requests and a reset', async () => {
    const { id, hyperswitchPaymentId } = await stack.sellPaid({ [SELLER]: SHARE });
    await stack.stripe('faults', ['PUT', { rules: [{ kinds: ['unavailable'], on: ['reversals.create'] }] }]);
    const key = randomUUID();
    const refund = await stack.refund(id, {}, key);
    let reversal = await stuckFor('retries_exhausted', id);
    for (const { decide } of WAYS) {
      await decide(reversal.id, { action: 'retry', note: 'once more' });
      reversal = await stuckFor('retries_exhausted', id, reversal.attention?.since);
    }
    expect(await stack.refund(id, {}, key)).toMatchObject({ id: refund.id, status: 'succeeded' });
    const tooMuch = await stack.post('refunds', { order_id: id, amount: 1, reason: 'requested_by_customer' });
    expect(tooMuch).toMatchObject({ status: 409, body: { code: 'refund_exceeds_paid' } });
    const again = ['--type', 'FirstWorkflowTask', '--reason', 'tried out'];
    await temporal(['workflow', 'reset', '--workflow-id', `refund/${refund.id}`, ...again]);

    await stack.stripe('faults', ['DELETE']);
    await WAYS.at(-1)?.decide(reversal.id, { action: 'retry', note: 'Stripe is back' });
    await stack.orderUntil('it is taken back', id, ({ reversals: [seen] }) => seen?.status === 'reversed');
    const { refunds } = await stack.hyperswitch<HyperswitchBooks>('ledger');
    const own = refunds.filter(({ paymentId }) => paymentId === hyperswitchPaymentId);
    expect(own).toMatchObject([{ id: refund.hyperswitch_refund_id, amount: SHARE }]);
    const { created } = await stack.hyperswitch<{ created: { id: string; calls: number }[] }>('calls');
    expect(created.filter((one) => one.id === refund.hyperswitch_refund_id)).toMatchObject([{ calls: 1 }]);
  }, 120_000);
});
