import type { Router } from 'express';
import { z } from 'zod';
import { accept, controlRouter, faultsSchema } from '../../stand-in/control.js';
import { faultRuleSchema } from '../faults.js';
import { PAYOUT_INTERVALS, PAYOUT_STATUSES, REVERSAL_ENDS } from '../state/records.js';
import { webhookFaultSchema } from '../webhooks/webhook-faults.js';
import { EVENT_STATES } from '../webhooks/webhooks.js';
import type { StripeControl } from './control.js';
import { addPayments } from './payment-routes.js';
import { seedSchema } from './seed.js';

const accountId = z.string().regex(/^acct_\w{1,64}$/);
const currency = z.string().regex(/^[a-z]{3}$/);
const minor = z.int().min(-999_999_999_999).max(999_999_999_999);
const amount = z.int().min(1).max(999_999_999_999);
const livemode = z.boolean().default(false);
const status = z.enum(PAYOUT_STATUSES);
const perSecond = z.int().min(1).nullable().optional();
const texts = z.array(z.string().min(1)).optional();

const clockSchema = z.union([
  z.strictObject({ advanceMs: z.int() }),
  z.strictObject({ offsetMs: z.int() }),
  z.strictObject({ to: z.iso.datetime({ offset: true }) }),
]);
const limitsSchema = z.strictObject({
  perEndpoint: perSecond,
  overall: perSecond,
  retryAfterSeconds: z.int().min(0).nullable().optional(),
});
const apiKeysSchema = z.strictObject({
  accepted: z.record(z.string().min(1), accountId).nullable().optional(),
  revoked: texts,
});
const accountSchema = z.strictObject({
  account: accountId,
  livemode,
  access: z.enum(['granted', 'revoked', 'missing']).optional(),
  transfers: z.enum(['active', 'inactive', 'pending']).optional(),
  liable: z.boolean().optional(),
  settlesIn: z.strictObject({ currency, rate: z.number().positive() }).nullable().optional(),
  pendingReversals: z.boolean().optional(),
  payouts: z.enum(PAYOUT_INTERVALS).optional(),
  disabledReason: z
    .string()
    .regex(/^[a-z_.]{1,60}$/)
    .nullable()
    .optional(),
});
const balanceSchema = z.strictObject({
  account: accountId,
  livemode,
  currency,
  available: minor,
  pending: minor.optional(),
});
const reverseSchema = z.strictObject({
  transfer: z.string().min(1),
  amount: amount.optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
const payoutSchema = z.strictObject({
  account: accountId,
  livemode,
  amount,
  currency,
  status: status.default('pending'),
  arrivalDate: z.int().min(0).optional(),
  failureCode: z.string().min(1).optional(),
  automatic: z.boolean().optional(),
});
const payoutChangeSchema = z.strictObject({ status, failureCode: z.string().min(1).optional() });
const targetSchema = z.union([
  z.strictObject({ url: z.null() }),
  z.strictObject({ url: z.url(), secrets: z.array(z.string().min(1)).min(1) }),
]);
const redeliverSchema = z.strictObject({ ids: texts, types: texts, states: z.array(z.enum(EVENT_STATES)).optional() });
const eventSchema = z.strictObject({
  type: z.string().min(1),
  account: accountId.optional(),
  livemode,
  object: z.record(z.string(), z.unknown()),
  thin: z.boolean().optional(),
});

/** The switches under /control. */
export const controlRoutes = (control: StripeControl): Router =>
  controlRouter(control, { faultRule: faultRuleSchema, limit: '50mb' }, (router) => {
    router.post('/finish', async (_req, res) => void res.json({ finished: await control.finishLater() }));
    addSettings(router, control);
    addMoney(router, control);
    addPayments(router, control);
    addWebhooks(router, control);
  });

function addSettings(router: Router, control: StripeControl): void {
  const clock = () => ({ now: new Date(control.nowMs()).toISOString() });
  router.get('/clock', (_req, res) => void res.json(clock()));
  router.put('/clock', (req, res) =>
    accept(clockSchema, req.body, res, async (given) => {
      if ('offsetMs' in given) await control.setClock(given.offsetMs);
      else await control.advanceClock('to' in given ? Date.parse(given.to) - control.nowMs() : given.advanceMs);
      return clock();
    }),
  );
  router.get('/limits', (_req, res) => void res.json(control.limits()));
  router.put('/limits', (req, res) => accept(limitsSchema, req.body, res, (given) => control.setLimits(given)));
  router.put('/api-keys', (req, res) => accept(apiKeysSchema, req.body, res, (given) => control.setApiKeys(given)));
  router.put('/keys', (req, res) =>
    accept(z.strictObject({ lifetimeMs: z.int().min(0) }), req.body, res, ({ lifetimeMs }) =>
      control.setKeyLifetime(lifetimeMs),
    ),
  );
}

function addMoney(router: Router, control: StripeControl): void {
  router.put('/accounts', (req, res) =>
    accept(accountSchema, req.body, res, ({ account, livemode: live, ...change }) =>
      control.setAccount(account, change, live),
    ),
  );
  router.put('/balances', (req, res) =>
    accept(balanceSchema, req.body, res, ({ livemode: live, ...change }) => control.setBalance(change, live)),
  );
  router.post('/reverse', (req, res) =>
    accept(reverseSchema, req.body, res, ({ transfer, ...params }) => control.reverse(transfer, params)),
  );
  router.post('/reversals/:id', (req, res) =>
    accept(z.strictObject({ status: z.enum(REVERSAL_ENDS) }), req.body, res, ({ status: end }) =>
      control.endReversal(req.params.id, end),
    ),
  );
  router.post('/payouts', (req, res) =>
    accept(payoutSchema, req.body, res, ({ livemode: live, ...payout }) => control.createPayout(payout, live)),
  );
  router.post('/payouts/:id', (req, res) =>
    accept(payoutChangeSchema, req.body, res, (change) =>
      control.updatePayout(req.params.id, change.status, change.failureCode),
    ),
  );
  router.post('/seed', (req, res) =>
    accept(seedSchema, req.body, res, async (given) => ({ ids: await control.seed(given) })),
  );
}

function addWebhooks(router: Router, control: StripeControl): void {
  router.get('/events', (_req, res) => void res.json({ events: control.events() }));
  router.get('/webhooks', (_req, res) => {
    res.json({ url: control.webhookTarget()?.url ?? null, faults: control.webhookFaults() });
  });
  router.put('/webhooks', (req, res) =>
    accept(targetSchema, req.body, res, (target) => control.setWebhookTarget(target.url === null ? null : target)),
  );
  router.put('/webhooks/faults', (req, res) =>
    accept(faultsSchema(webhookFaultSchema), req.body, res, ({ rules, seed }) => control.setWebhookFaults(rules, seed)),
  );
  router.post('/webhooks/redeliver', (req, res) =>
    accept(redeliverSchema, req.body ?? {}, res, (filter) => ({ redelivered: control.redeliver(filter) })),
  );
  router.post('/webhooks/send', (req, res) => accept(eventSchema, req.body, res, (event) => control.sendEvent(event)));
  router.post('/webhooks/idle', (_req, res) => control.webhooksIdle().then(() => void res.json({ ok: true })));
}
