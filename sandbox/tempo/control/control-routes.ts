import express, { Router } from 'express';
import { z } from 'zod';
import { accept, commonSwitches } from '../../stand-in/control.js';
import { faultRuleSchema } from '../faults.js';
import type { TempoControl } from './control.js';

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const balanceSchema = z.strictObject({
  owner: address,
  balance: z.string().regex(/^\d{1,29}$/),
  token: address.optional(),
});

/** The switches under /control, for people and for tests in other processes. */
export function controlRoutes(control: TempoControl): Router {
  const router = Router();
  router.use(express.json());
  router.use(commonSwitches(control, faultRuleSchema, () => control.isDown()));
  router.put('/balances', (req, res) =>
    accept(balanceSchema, req.body, res, ({ owner, balance, token }) =>
      control.setBalance(owner, BigInt(balance), token),
    ),
  );
  router.post('/mine', (_req, res) => control.mine().then(() => void res.json({ ok: true })));
  return router;
}
