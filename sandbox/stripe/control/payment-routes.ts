import type { Router } from 'express';
import { z } from 'zod';
import { accept } from '../../stand-in/control.js';
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
const chargeSchema = z.strictObject({ status: z.enum(['captured', 'succeeded', 'failed']) });
const settlementSchema = z.strictObject({ days: z.int().min(0).max(90) });

export function addPayments(router: Router, control: PaymentControl): void {
  router.get('/settlement', (_req, res) => void res.json({ days: control.settlementDays() }));
  router.put('/settlement', (req, res) =>
    accept(settlementSchema, req.body, res, ({ days }) => control.setSettlementDays(days)),
  );
  router.post('/captures', (req, res) =>
    accept(captureSchema, req.body, res, ({ livemode: live, ...capture }) => control.createCapture(capture, live)),
  );
  router.post('/charges/:id', (req, res) =>
    accept(chargeSchema, req.body, res, ({ status }) => control.updateCharge(req.params.id, status)),
  );
}
