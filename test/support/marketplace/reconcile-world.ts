import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeFunctionData, encodeFunctionResult, type Hex, parseAbi } from 'viem';
import { createReconcileActivities } from '../../../activities/reconcile-activities.js';
import { createHyperswitchAccount } from '../../../src/calls/marketplace/hyperswitch-account.js';
import { createStripeAccountCheck } from '../../../src/calls/marketplace/stripe-account.js';
import type { ReadAnswer, StripeDispute } from '../../../src/domain/calls/provider-answers.js';
import { newReconciliationId, type ReconciliationId } from '../../../src/domain/ids.js';
import type { Drift } from '../../../src/domain/reconciliation/drift.js';
import { reconciliationWorkflowId } from '../../../src/domain/workflow-ids.js';
import { createReconcileOrchestration, createWorkflowReader } from '../../../src/orchestration/reconciling.js';
import { createSettlementOrchestration } from '../../../src/orchestration/settlements.js';
import { createAuthorizationReader } from '../../../src/providers/evm/authorizations.js';
import { createHyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { createBudget } from '../../../src/providers/stripe/budget.js';
import { createStripe } from '../../../src/providers/stripe/client.js';
import type { ConnectedTemporal } from '../connected-temporal.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';
import { memoryLogger } from '../settlements/settlement-world.js';
import { startStandIns } from '../stand-ins.js';
import { type MarketplaceWorld, startMarketplace, startWorkers } from './world.js';

/** What the reconciler alone is shown of Stripe and Hyperswitch: some things not at all, some with another amount. */
export interface Mirror {
  readonly hidden: Set<string>;
  readonly altered: Map<string, bigint>;
  /** Awaited before each page and read; a test holds it there, or has it fail. */
  before: (asked: string) => Promise<void>;
}

export type ReconcileWorld = Awaited<ReturnType<typeof openReconcileWorld>>;

const NETWORK = 'eip155:84532';

/** The marketplace and the reconciler on a real Temporal and Postgres, between stateful stand-ins and a node of a chain. */
export async function openReconcileWorld(
  temporal: Pick<ConnectedTemporal, 'native' | 'client'>,
  options: {
    readonly test?: TestLedger;
    readonly youngMs?: number;
    readonly settings?: Readonly<Record<string, string>>;
    readonly paceMs?: number;
    readonly lookAgainAfterMs?: number;
    readonly taskQueue?: string;
  } = {},
) {
  const test = options.test ?? (await openTestLedger());
  const { ledger, clock } = test;
  const standIns = await startStandIns(clock, { linked: true });
  const { stripe, hyperswitch } = standIns;
  stripe.setSettlementDays(0);
  const chain = await startNode();
  const { taskQueue = `q-${crypto.randomUUID()}` } = options;
  const mirror: Mirror = { hidden: new Set(), altered: new Map(), before: () => Promise.resolve() };
  const logger = memoryLogger();
  const takeToken = createBudget(ledger, 100);
  const atStripe = createStripe({ secretKey: 'sk_test_sandbox', apiBase: stripe.url, takeToken });
  const atHyperswitch = createHyperswitch({ baseUrl: hyperswitch.url, apiKey: hyperswitch.apiKey });
  let marketplace: MarketplaceWorld | undefined;
  const workflows = () => {
    if (!marketplace) throw new Error('the marketplace is not there yet');
    return createWorkflowReader(temporal.client, {
      ledger,
      marketplace: marketplace.orchestration,
      settlements: createSettlementOrchestration(temporal.client, taskQueue, {
        backoffBaseMs: 1_000,
        backoffMaxMs: 1_000,
        httpTimeoutMs: 1_000,
      }),
    });
  };
  const reconciling = createReconcileActivities({
    ledger,
    sides: {
      stripe: {
        calls: mirrored(atStripe.inLane('reconcile'), mirror),
        account: createStripeAccountCheck({ ledger, stripe: atStripe }),
      },
      hyperswitch: {
        calls: mirrored(atHyperswitch, mirror),
        account: createHyperswitchAccount({ ledger, hyperswitch: atHyperswitch }),
      },
      chain: createAuthorizationReader(new Map([[NETWORK, chain.url]])),
      workflows: {
        stateOf: (id) => workflows().stateOf(id),
        restart: (item) => workflows().restart(item),
      },
      clock,
      youngMs: options.youngMs ?? 0,
    },
    logger: logger as never,
    monotonicMs: () => performance.now(),
    paceMs: options.paceMs ?? 0,
    lookAgainAfterMs: options.lookAgainAfterMs ?? 0,
  });
  const world = await startMarketplace({
    connection: temporal.native,
    client: temporal.client,
    test,
    stripe,
    hyperswitch,
    taskQueue,
    holdMs: 5_000,
    ...(options.settings ? { settings: options.settings } : {}),
    host: (activities) =>
      startWorkers({ connection: temporal.native, test, taskQueue }, { ...activities, ...reconciling }),
  });
  marketplace = world;
  const orchestration = createReconcileOrchestration(temporal.client, taskQueue);

  async function begin(since: string | null = null): Promise<ReconciliationId> {
    const { id } = await ledger.beginReconciliation({
      id: newReconciliationId(clock.nowMs()),
      requestedBy: 'nora',
      since,
    });
    await orchestration.startReconciliation(id, 'nora');
    return id;
  }
  const ended = (id: ReconciliationId): Promise<void> =>
    temporal.client.workflow.getHandle(reconciliationWorkflowId(id)).result();

  return {
    test,
    stripe,
    /** As the product asks it; nothing is hidden or altered. */
    atStripe,
    hyperswitch,
    chain,
    mirror,
    world,
    logger,
    network: NETWORK,
    begin,
    ended,
    /** One whole run. @returns what is open, and what it repaired */
    async reconcile(since: string | null = null): Promise<readonly Drift[]> {
      const id = await begin(since);
      await ended(id);
      return await ledger.driftsOfRun(id);
    },
    /** Starts the workflow of a run again, as the next schedule would. */
    goOn: (id: ReconciliationId) => orchestration.startReconciliation(id, 'nora'),
    async close() {
      await world.stop();
      await chain.close();
      await standIns.close();
      await test.dispose();
    },
  };
}

const NAMES = [
  'externalPayoutId',
  'stripeReversalId',
  'stripeTransferId',
  'stripeDisputeId',
  'hyperswitchRefundId',
  'hyperswitchPaymentId',
];

/** Of a reversal its own id comes before that of its transfer, of a refund before that of its payment. */
const nameOf = (facts: object): string => {
  const own = NAMES.find((name) => name in facts);
  return own === undefined ? '' : String(Object.entries(facts).find(([name]) => name === own)?.[1]);
};

function shown(value: unknown, { hidden, altered }: Mirror): unknown {
  if (Array.isArray(value))
    return value
      .filter((one) => !hidden.has(nameOf(Object(one) as object)))
      .map((one) => shown(one, { hidden, altered } as Mirror));
  const amount = altered.get(nameOf(Object(value) as object));
  if (amount === undefined) return value;
  const movements = 'movements' in (value as object) ? (value as StripeDispute).movements : undefined;
  return movements
    ? { ...(value as object), movements: movements.map((one) => ({ ...one, amount: -amount })) }
    : { ...(value as object), amount };
}

function mirrored<Calls extends object>(calls: Calls, mirror: Mirror): Calls {
  const reads = Object.entries(calls).map(([name, read]) => {
    if (typeof read !== 'function' || !/^(?:read|.*Since$)/.test(name)) return [name, read] as const;
    const wrapped = async (...given: readonly unknown[]): Promise<unknown> => {
      await mirror.before(name);
      const answer = await (read as (...all: readonly unknown[]) => Promise<ReadAnswer<object>>)(...given);
      if (answer.kind !== 'found') return answer;
      const { value } = answer;
      if ('items' in value) return { ...answer, value: { ...value, items: shown(value.items, mirror) } };
      if ('transfer' in value && 'reversals' in value) {
        if (mirror.hidden.has(nameOf(value.transfer as object))) return GONE;
        return {
          ...answer,
          value: { transfer: shown(value.transfer, mirror), reversals: shown(value.reversals, mirror) },
        };
      }
      return mirror.hidden.has(nameOf(value)) ? GONE : { ...answer, value: shown(value, mirror) };
    };
    return [name, wrapped] as const;
  });
  return Object.fromEntries(reads) as Calls;
}

const GONE = { kind: 'missing', detail: 'no such thing' } as const;

const ABI = parseAbi(['function authorizationState(address authorizer, bytes32 nonce) view returns (bool)']);

/** A node that knows of one token which authorizations were used. */
async function startNode() {
  const used = new Set<string>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { id, method, params } = JSON.parse(Buffer.concat(parts).toString()) as {
        id: number;
        method: string;
        params: readonly { readonly data: Hex }[];
      };
      const result = method === 'eth_chainId' ? '0x14a34' : answer(params[0]?.data ?? '0x');
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  });
  const answer = (data: Hex): Hex => {
    const { args } = decodeFunctionData({ abi: ABI, data });
    return encodeFunctionResult({ abi: ABI, functionName: 'authorizationState', result: used.has(args[1]) });
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    use: (nonce: string) => used.add(nonce),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
