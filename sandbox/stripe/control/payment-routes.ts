import type { Router } from 'express';
import { z } from 'zod';
import { accept } from '../../stand-in/control.js';
import { DISPUTE_MOVES } from '../payments/disputes.js';
import { SHORT_REFUNDS } from '../payments/refunds.js';
import { REFUND_STATUSES } from '../state/records.js';
import type { PaymentControl } from './payment-control.js';

const currency = z.string().regex(/^[a-z]{3}$/);
const amount = z.int().min(1).max(999_999_999_999);
const livemode = z.boolean().default(false);
const metadata = z.record(z.string().max(40), z.string().max(500));

const captureSchema = z.strictObject({
  amount,
  currency,
  method: z
    .string()
    .regex(/^[a-z_]{1,40}$/)
    .optional(),
  payment_intent: z
    .string()
    .regex(/^pi_\w{1,100}$/)
    .optional(),
  transfer_group: z.string().min(1).optional(),
  metadata: metadata.optional(),
  settles_in: currency.optional(),
  exchange_rate: z.number().positive().optional(),
  fee: z.int().min(0).optional(),
  status: z.enum(['succeeded', 'pending', 'failed', 'uncaptured']).optional(),
  livemode,
});
const paySchema = captureSchema.pick({ method: true, settles_in: true, exchange_rate: true, fee: true, status: true });
const buyersSchema = z.strictObject({
  pay: z.enum(['succeeded', 'pending', 'failed']).nullable().optional(),
  refunds: z.enum(REFUND_STATUSES).optional(),
  shortRefunds: z.enum(SHORT_REFUNDS).optional(),
  indexedAfterMs: z.int().min(0).optional(),
});
const chargeSchema = z.strictObject({ status: z.enum(['captured', 'succeeded', 'failed']), amount: amount.optional() });
const refundStatus = z.enum(REFUND_STATUSES);
const refundSchema = z.strictObject({
  charge: z.string().min(1),
  amount: amount.optional(),
  status: refundStatus.optional(),
  metadata: metadata.optional(),
});
const fee = z.int().min(0).max(999_999_999_999).optional();
const disputeSchema = z.strictObject({
  charge: z.string().min(1),
  amount: amount.optional(),
  inquiry: z.boolean().optional(),
  fee,
});
const moveSchema = z.strictObject({ move: z.enum(DISPUTE_MOVES), amount: amount.optional(), fee_back: fee });
const settlementSchema = z.strictObject({ days: z.int().min(0).max(90) });

export function addPayments(router: Router, control: PaymentControl): void {
  router.get('/settlement', (_req, res) => void res.json({ days: control.settlementDays() }));
  router.put('/settlement', (req, res) =>
    accept(settlementSchema, req.body, res, ({ days }) => control.setSettlementDays(days)),
  );
  router.post('/captures', (req, res) =>
    accept(captureSchema, req.body, res, ({ livemode: live, ...capture }) => control.createCapture(capture, live)),
  );
  router.get('/buyers', (_req, res) => void res.json(control.buyers()));
  router.put('/buyers', (req, res) => accept(buyersSchema, req.body, res, (change) => control.setBuyers(change)));
  router.post('/payment_intents/:id/pay', (req, res) =>
    accept(paySchema, req.body, res, (capture) => control.pay(req.params.id, capture)),
  );
  router.post('/payment_intents/:id/action', (req, res) =>
    accept(z.strictObject({}), req.body, res, () => control.needsAction(req.params.id)),
  );
  router.post('/payment_intents/:id/lapse', (req, res) =>
    accept(z.strictObject({}), req.body, res, () => control.lapse(req.params.id)),
  );
  router.post('/charges/:id', (req, res) =>
    accept(chargeSchema, req.body, res, (charge) => control.updateCharge(req.params.id, charge.status, charge.amount)),
  );
  router.post('/refunds', (req, res) => accept(refundSchema, req.body, res, (refund) => control.createRefund(refund)));
  router.post('/refunds/:id', (req, res) =>
    accept(z.strictObject({ status: refundStatus }), req.body, res, ({ status }) =>
      control.updateRefund(req.params.id, status),
    ),
  );
  router.post('/disputes', (req, res) =>
    accept(disputeSchema, req.body, res, (dispute) => control.createDispute(dispute)),
  );
  router.post('/disputes/:id', (req, res) =>
    accept(moveSchema, req.body, res, (change) => control.moveDispute(req.params.id, change)),
  );
}
