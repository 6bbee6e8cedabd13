import express, { Router } from 'express';
import { z } from 'zod';
import { acceptControl as accept } from '../control-body.js';
import { faultsSchema } from './faults.js';
import type { TempoControl } from './start.js';

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const downSchema = z.strictObject({ down: z.boolean() });
const deadSchema = z.strictObject({ forMs: z.int().min(1).max(3_600_000) });
const balanceSchema = z.strictObject({
  owner: address,
  balance: z.string().regex(/^\d{1,29}$/),
  token: address.optional(),
});

/** The switches under /control, for people and for tests in other processes; they answer even while the node is down. */
export function controlRoutes(control: TempoControl): Router {
  const router = Router();
  router.use(express.json());
  router.get('/ledger', (_req, res) => void res.json(control.ledger()));
  router.get('/calls', (_req, res) => void res.json(control.calls()));
  router.get('/faults', (_req, res) => void res.json({ rules: control.faults(), down: control.isDown() }));
  router.put('/faults', (req, res) =>
    accept(faultsSchema, req.body, res, ({ rules, seed }) => control.setFaults(rules, seed)),
  );
  router.delete('/faults', (_req, res) => {
    control.setFaults([]);
    control.setDown(false);
    res.json({ ok: true });
  });
  router.put('/down', (req, res) => accept(downSchema, req.body, res, ({ down }) => control.setDown(down)));
  router.put('/dead', (req, res) =>
    accept(deadSchema, req.body, res, ({ forMs }) => {
      // After the answer has left, because this is the socket it leaves by.
      res.once('close', () => void control.die(forMs));
      res.set('Connection', 'close');
    }),
  );
  router.put('/balances', (req, res) =>
    accept(balanceSchema, req.body, res, ({ owner, balance, token }) =>
      control.setBalance(owner, BigInt(balance), token),
    ),
  );
  router.post('/mine', (_req, res) => control.mine().then(() => void res.json({ ok: true })));
  router.post('/reset', (_req, res) => control.reset().then(() => void res.json({ ok: true })));
  return router;
}
