import express, { Router } from 'express';
import { z } from 'zod';
import { accept, commonSwitches } from '../../stand-in/control.js';
import { faultRuleSchema, protocolsSchema } from '../faults.js';
import type { AuthServerControl } from './control.js';

const downSchema = z.strictObject({ down: z.boolean(), protocols: protocolsSchema.optional() });
const accountSchema = z.strictObject({ payer: z.string().min(1), balance: z.string().regex(/^\d{1,39}$/) });

/** The switches under /_sandbox, for people and for tests in other processes. */
export function controlRoutes(control: AuthServerControl): Router {
  const router = Router();
  router.use(express.json());
  // Before the common switches, because here single protocols can be down.
  router.put('/down', (req, res) =>
    accept(downSchema, req.body, res, ({ down, protocols }) => control.setDown(down, protocols)),
  );
  router.use(commonSwitches(control, faultRuleSchema, () => control.downProtocols()));
  router.put('/accounts', (req, res) =>
    accept(accountSchema, req.body, res, ({ payer, balance }) => control.setBalance(payer, BigInt(balance))),
  );
  return router;
}
