import type { z } from 'zod';
import { type CommonControl, troubleControl } from '../../stand-in/control.js';
import type { Listener } from '../../stand-in/listener.js';
import { type AccountChange, planAccountChange } from '../accounts/account-changes.js';
import { accountOf, fundsOf } from '../accounts/accounts.js';
import { type NewPayout, planPayout, planPayoutStatus } from '../accounts/payouts.js';
import type { FaultRule } from '../faults.js';
import type { ApiDependencies } from '../http/api.js';
import type { LimitSettings } from '../http/limits.js';
import type { ReversalObject } from '../http/objects.js';
import type { Caller, Plan } from '../http/plan.js';
import type { Metadata, PayoutStatus, ReversalEnd, World } from '../state/records.js';
import { createReversal, endReversal } from '../transfers/reversals.js';
import { balanceAvailable, type EventDraft, thinEvent } from '../webhooks/events.js';
import type { WebhookFaultRule } from '../webhooks/webhook-faults.js';
import type { EventFilter, SentEvent, WebhookTarget } from '../webhooks/webhooks.js';
import type { CallsView } from './call-log.js';
import { ControlRefused, carryOutPlan, emitNow } from './carry-out-plan.js';
import { type LedgerView, ledgerView } from './ledger-view.js';
import { type PaymentControl, paymentControl } from './payment-control.js';
import { planSeed, type Seed, seedSchema } from './seed.js';

export interface BalanceChange {
  readonly account: string;
  readonly currency: string;
  readonly available: number;
  readonly pending?: number | undefined;
}

/** The same switches as under /control, for tests in this process. `livemode` is false where it is not said. */
export interface StripeControl extends CommonControl<FaultRule, LedgerView, CallsView>, PaymentControl {
  /** By the stand-in's clock, Unix milliseconds. */
  nowMs(): number;
  /** Moves the clock and does what has become due. */
  setClock(offsetMs: number): Promise<void>;
  advanceClock(ms: number): Promise<void>;
  limits(): LimitSettings;
  setLimits(settings: Partial<LimitSettings>): void;
  /** `accepted`: platform account by secret key; null: every key opens the stand-in's own. */
  setApiKeys(keys: { accepted?: Readonly<Record<string, string>> | null; revoked?: readonly string[] }): void;
  /** How long an idempotency key is remembered; 24 hours at first. */
  setKeyLifetime(ms: number): void;
  /** Sends capability.updated, account.updated and account.application.deauthorized where they belong. */
  setAccount(id: string, change: AccountChange, livemode?: boolean): Promise<void>;
  /** Sends balance.available when it rises. */
  setBalance(change: BalanceChange, livemode?: boolean): Promise<void>;
  /** As somebody in the dashboard would: without a key, and with whatever metadata. @throws ControlRefused */
  reverse(transfer: string, params?: { amount?: number; metadata?: Metadata }): Promise<ReversalObject>;
  /** What becomes of a reversal that is `pending`. @throws ControlRefused */
  endReversal(id: string, status: ReversalEnd): Promise<void>;
  /** Finishes every call that was answered 500 `finish_later`. @returns how many */
  finishLater(): Promise<number>;
  /** @throws ControlRefused when the balance is too low */
  createPayout(payout: NewPayout, livemode?: boolean): Promise<{ readonly id: string }>;
  /** @throws ControlRefused when there is no such payout, or it failed or was canceled */
  updatePayout(id: string, status: PayoutStatus, failureCode?: string): Promise<void>;
  /** Makes history fast. @throws ZodError, or ControlRefused when it contradicts itself */
  seed(seed: Seed): Promise<readonly string[]>;
  webhookTarget(): WebhookTarget | null;
  setWebhookTarget(target: WebhookTarget | null): void;
  webhookFaults(): readonly WebhookFaultRule[];
  setWebhookFaults(rules: readonly WebhookFaultRule[], seed?: number): void;
  events(): readonly SentEvent[];
  /** An event about nothing that happened here. */
  sendEvent(event: {
    type: string;
    account?: string | undefined;
    livemode?: boolean;
    object: object;
    /** As API v2 sends it: only the object's name. */
    thin?: boolean | undefined;
  }): void;
  redeliver(filter?: EventFilter): number;
  /** Resolves when no delivery is under way. */
  webhooksIdle(): Promise<void>;
}

export interface ControlDependencies extends ApiDependencies {
  readonly platform: string;
  readonly listener: Listener;
  /** As at the start. */
  readonly forgetSettings: () => void;
}

export function createControl(dependencies: ControlDependencies): StripeControl {
  const { store, clock, agenda, faults, limits, keys, apiKeys, calls, webhooks, deferred, listener } = dependencies;
  const setClock = async (offsetMs: number): Promise<void> => {
    clock.move(offsetMs);
    const durable = store.commit([{ table: 'clock', row: { offsetMs } }]);
    agenda.runDue();
    await durable;
  };
  return {
    ...troubleControl(faults, listener),
    ...moneyControl(dependencies),
    ...paymentControl(dependencies),
    ledger: () => ledgerView(dependencies),
    calls: () => calls.view(),
    nowMs: () => clock.nowMs(),
    setClock,
    advanceClock: (ms) => setClock(clock.offsetMs() + ms),
    limits: () => limits.settings(),
    setLimits: (settings) => limits.set({ ...limits.settings(), ...settings }),
    setApiKeys: (given) => apiKeys.set(given),
    setKeyLifetime: (ms) => keys.setLifetime(ms),
    finishLater: () => deferred.finishAll(),
    webhookTarget: () => webhooks.target(),
    setWebhookTarget: (target) => webhooks.setTarget(target),
    webhookFaults: () => webhooks.faults(),
    setWebhookFaults: (rules, seed) => webhooks.setFaults(rules, seed),
    events: () => webhooks.events(),
    redeliver: (filter = {}) => webhooks.redeliver(filter),
    webhooksIdle: () => webhooks.idle(),
    async reset() {
      dependencies.forgetSettings();
      await store.clear();
    },
  };
}

type MoneyControl = Pick<
  StripeControl,
  'setAccount' | 'setBalance' | 'reverse' | 'endReversal' | 'createPayout' | 'updatePayout' | 'seed' | 'sendEvent'
>;

/** Switches that move money or say that it moved. */
function moneyControl({ store, clock, webhooks, platform, settlement, buyers }: ControlDependencies): MoneyControl {
  const worldOf = (livemode: boolean): World => ({ platform, livemode });
  const callerAs = (owner: string, livemode: boolean): Caller => ({
    store,
    world: { platform: owner, livemode },
    account: owner,
    nowMs: clock.nowMs(),
    settlementDays: settlement.days(),
    ...buyers.settings(),
  });
  const emit = (drafts: readonly EventDraft[]): void => emitNow({ clock, webhooks }, drafts);
  const carryOut = <T>(plan: Plan): Promise<T> => carryOutPlan({ store, clock, webhooks }, plan);
  return {
    async setAccount(id, change, livemode = false) {
      await carryOut(planAccountChange({ store, world: worldOf(livemode), nowMs: clock.nowMs() }, id, change));
    },
    async setBalance({ account: id, currency, available, pending }, livemode = false) {
      const account = accountOf(store, id, livemode);
      const before = fundsOf(account, currency);
      const after = { available, pending: pending ?? before.pending };
      const row = { ...account, funds: { ...account.funds, [currency]: after } };
      const durable = store.commit([{ table: 'account', row }]);
      if (available > before.available) emit([balanceAvailable(store, worldOf(livemode), id)]);
      await durable;
    },
    reverse(transfer, { amount, metadata } = {}) {
      const { platform: owner = platform, livemode = false } = store.transfer(transfer) ?? {};
      const caller = callerAs(owner, livemode);
      const nothing = { description: undefined, refund_application_fee: undefined };
      return carryOut(createReversal(caller, transfer, { amount, metadata, ...nothing }));
    },
    async endReversal(id, status) {
      const { platform: owner = platform, livemode = false } = store.transfer(store.reversal(id)?.transfer ?? '') ?? {};
      const caller = callerAs(owner, livemode);
      await carryOut(endReversal(caller, id, status));
    },
    createPayout: (payout, livemode = false) =>
      carryOut(planPayout({ store, world: worldOf(livemode), nowMs: clock.nowMs() }, payout)),
    async updatePayout(id, status, failureCode) {
      const livemode = store.payout(id)?.livemode ?? false;
      const context = { store, world: worldOf(livemode), nowMs: clock.nowMs() };
      await carryOut(planPayoutStatus(context, id, { status, failureCode }));
    },
    async seed(given) {
      const seed: z.output<typeof seedSchema> = seedSchema.parse(given);
      const world = { platform: seed.platform ?? platform, livemode: seed.livemode };
      const planned = planSeed(store, { ...world, nowSeconds: Math.floor(clock.nowMs() / 1000) }, seed);
      if ('contradiction' in planned) throw new ControlRefused(planned.contradiction);
      await store.commit(planned.puts);
      return planned.ids;
    },
    sendEvent({ type, account = null, livemode = false, object, thin = false }) {
      const draft = { type, account, livemode, object: () => object };
      if (thin) webhooks.emit([thinEvent(draft, clock.nowMs())]);
      else emit([draft]);
    },
  };
}
