import type { Response, Router } from 'express';
import { z } from 'zod';
import { accept, controlRouter } from '../../stand-in/control.js';
import { STRIPE_EVENTS, STRIPE_MOVES } from '../connector/stripe-disputes.js';
import { faultRuleSchema } from '../faults.js';
import { DISPUTE_STAGES, DISPUTE_STATUSES } from '../http/dispute-objects.js';
import { INTENT_STATUSES, type IntentStatus, REFUND_STATUSES, type RefundStatus } from '../http/objects.js';
import { webhooksSchema } from '../webhooks/webhooks.js';
import type { HyperswitchControl } from './control.js';

/** A word that no document has yet: Hyperswitch may have a newer one. */
const newWord = z.string().regex(/^new_[a-z_]{1,40}$/);
const howPaid = {
  method: z
    .string()
    .regex(/^[a-z_]{1,40}$/)
    .optional(),
  settles_in: z.string().length(3).optional(),
};
const paymentMove = z.strictObject({
  ...howPaid,
  to: z.enum(INTENT_STATUSES).or(newWord.transform((word) => word as IntentStatus)),
  seen: z.boolean().optional(),
  received: z.int().min(0).optional(),
});
const refundMove = z.strictObject({
  to: z.enum(REFUND_STATUSES).or(newWord.transform((word) => word as RefundStatus)),
  seen: z.boolean().optional(),
});
const dashboardRefund = z.strictObject({
  payment_id: z.string(),
  amount: z.int().min(1).optional(),
  reason: z.string().max(255).optional(),
  status: z.enum(REFUND_STATUSES).optional(),
});
const minorUnits = z.int().min(1).optional();
const saidOfDispute = {
  stage: z.enum(DISPUTE_STAGES).optional(),
  status: z.enum(DISPUTE_STATUSES).optional(),
  connector_status: z.string().min(1).optional(),
  events: z.array(z.enum(STRIPE_EVENTS)).optional(),
};
const disputeOpening = z.strictObject({
  ...saidOfDispute,
  payment_id: z.string(),
  amount: minorUnits,
  inquiry: z.boolean().optional(),
  fee: z.int().min(0).optional(),
  reason: z.string().min(1).optional(),
  elsewhere: z.boolean().optional(),
});
const disputeChange = z.strictObject({
  ...saidOfDispute,
  move: z.enum(STRIPE_MOVES).optional(),
  amount: minorUnits,
  fee_back: z.int().min(0).optional(),
});
const afterMs = z.int().min(0).max(3_600_000);
const settingsSchema = z.strictObject({
  pay: z.strictObject({ ...howPaid, to: z.enum(INTENT_STATUSES), afterMs }).optional(),
  refund: z.strictObject({ to: z.enum(REFUND_STATUSES), afterMs }).optional(),
  maxRefunds: z.int().min(0).optional(),
});
const releaseSchema = z.strictObject({ newestFirst: z.boolean().default(false) });
const ownerSchema = z.strictObject({
  apiKey: z.string().min(1).optional(),
  merchantId: z.string().min(1).optional(),
  profileId: z.string().min(1).optional(),
});
const redeliverSchema = z.strictObject({ event_id: z.string() });

/** The switches under /control. */
export const controlRoutes = (control: HyperswitchControl): Router =>
  controlRouter(control, { faultRule: faultRuleSchema }, (router) => {
    router.put('/auto', (req, res) => accept(settingsSchema, req.body, res, (settings) => control.setAuto(settings)));
    router.put('/payments/:id', (req, res) =>
      accept(paymentMove, req.body, res, (move) => orMissing(res, control.movePayment(req.params.id, move))),
    );
    router.put('/refunds/:id', (req, res) =>
      accept(refundMove, req.body, res, (move) => orMissing(res, control.moveRefund(req.params.id, move))),
    );
    router.post('/dashboard/refunds', (req, res) =>
      accept(dashboardRefund, req.body, res, async (order) => {
        const made = await control.refundInDashboard(order);
        if ('problem' in made) res.status(409);
        return made;
      }),
    );
    router.post('/disputes', (req, res) =>
      accept(disputeOpening, req.body, res, async (order) => {
        const opened = await control.openDispute(order);
        if ('problem' in opened) res.status(409);
        return opened;
      }),
    );
    router.put('/disputes/:id', (req, res) =>
      accept(disputeChange, req.body, res, (change) => orMissing(res, control.changeDispute(req.params.id, change))),
    );
    router.post('/late', async (_req, res) => void res.json({ landed: await control.landLate() }));
    router.put('/key', (req, res) => accept(ownerSchema, req.body, res, (owner) => control.setKeyOwner(owner)));
    router.get('/webhooks', (_req, res) => void res.json({ events: control.webhooks() }));
    router.put('/webhooks', (req, res) => accept(webhooksSchema, req.body, res, (set) => control.setWebhooks(set)));
    router.post('/webhooks/release', (req, res) =>
      accept(releaseSchema, req.body ?? {}, res, ({ newestFirst }) => control.releaseWebhooks(newestFirst)),
    );
    router.post('/webhooks/redeliver', (req, res) =>
      accept(redeliverSchema, req.body, res, ({ event_id: id }) =>
        control.redeliver(id).then((ok) => (ok ? { ok } : orMissing(res, undefined))),
      ),
    );
  });

async function orMissing(res: Response, moved: Promise<object> | undefined): Promise<object> {
  if (moved !== undefined) return moved;
  res.status(404);
  return { error: { code: 'not_found', message: 'no such object; nothing was moved' } };
}
