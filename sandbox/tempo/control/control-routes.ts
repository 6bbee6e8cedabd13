import type { Router } from 'express';
import { z } from 'zod';
import { accept, controlRouter } from '../../stand-in/control.js';
import { faultRuleSchema } from '../faults.js';
import type { TempoControl } from './control.js';

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const balanceSchema = z.strictObject({
  owner: address,
  balance: z.string().regex(/^\d{1,29}$/),
  token: address.optional(),
});

/** The switches under /control. */
export const controlRoutes = (control: TempoControl): Router =>
  controlRouter(control, { faultRule: faultRuleSchema }, (router) => {
    router.put('/balances', (req, res) =>
      accept(balanceSchema, req.body, res, ({ owner, balance, token }) =>
        control.setBalance(owner, BigInt(balance), token),
      ),
    );
    router.post('/mine', (_req, res) => control.mine().then(() => void res.json({ ok: true })));
  });
