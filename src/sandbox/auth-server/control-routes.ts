import express, { Router } from 'express';
import { z } from 'zod';
import { acceptControl as accept } from '../control-body.js';
import { faultsSchema } from './faults.js';
import type { SandboxControl } from './start.js';

const protocols = z.array(z.enum(['atxp', 'x402', 'mpp'])).min(1);
const downSchema = z.strictObject({ down: z.boolean(), protocols: protocols.optional() });
const deadSchema = z.strictObject({ forMs: z.int().min(1).max(3_600_000) });
const accountSchema = z.strictObject({ payer: z.string().min(1), balance: z.string().regex(/^\d{1,39}$/) });

/** The switches under /_sandbox, for people and for tests in other processes; they answer even while the rest is down. */
export function controlRoutes(control: SandboxControl): Router {
  const router = Router();
  router.use(express.json());
  router.get('/ledger', (_req, res) => void res.json(control.ledger()));
  router.get('/calls', (_req, res) => void res.json(control.calls()));
  router.get('/faults', (_req, res) => void res.json({ rules: control.faults(), down: control.downProtocols() }));
  router.put('/faults', (req, res) =>
    accept(faultsSchema, req.body, res, ({ rules, seed }) => control.setFaults(rules, seed)),
  );
  router.delete('/faults', (_req, res) => {
    control.setFaults([]);
    control.setDown(false);
    res.json({ ok: true });
  });
  router.put('/down', (req, res) =>
    accept(downSchema, req.body, res, ({ down, protocols: which }) => control.setDown(down, which)),
  );
  router.put('/dead', (req, res) =>
    accept(deadSchema, req.body, res, ({ forMs }) => {
      // After the answer has left, because this is the socket it leaves by.
      res.once('close', () => void control.die(forMs));
      res.set('Connection', 'close');
    }),
  );
  router.put('/accounts', (req, res) =>
    accept(accountSchema, req.body, res, ({ payer, balance }) => control.setBalance(payer, BigInt(balance))),
  );
  router.post('/reset', (_req, res) => control.reset().then(() => void res.json({ ok: true })));
  return router;
}
