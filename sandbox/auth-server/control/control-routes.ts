import type { Router } from 'express';
import { z } from 'zod';
import { accept, controlRouter } from '../../stand-in/control.js';
import { faultRuleSchema, protocolsSchema } from '../faults.js';
import type { AuthServerControl } from './control.js';

const downSchema = z.strictObject({ down: z.boolean(), protocols: protocolsSchema.optional() });
const accountSchema = z.strictObject({ payer: z.string().min(1), balance: z.string().regex(/^\d{1,39}$/) });

/** The switches under /_sandbox. */
export const controlRoutes = (control: AuthServerControl): Router =>
  controlRouter(control, { faultRule: faultRuleSchema, whatIsDown: () => control.downProtocols() }, (router) => {
    // In place of the common one: here single protocols can be down.
    router.put('/down', (req, res) =>
      accept(downSchema, req.body, res, ({ down, protocols }) => control.setDown(down, protocols)),
    );
    router.put('/accounts', (req, res) =>
      accept(accountSchema, req.body, res, ({ payer, balance }) => control.setBalance(payer, BigInt(balance))),
    );
  });
