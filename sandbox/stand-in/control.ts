import express, { type Response, Router } from 'express';
import { z } from 'zod';
import type { Listener } from './listener.js';

/** What can be switched in every stand-in: by tests in its process as functions, by everybody else over HTTP. */
export interface CommonControl<FaultRule, Ledger = object, Calls = object> {
  ledger(): Ledger;
  calls(): Calls;
  faults(): readonly FaultRule[];
  /** Replaces all fault rules. @throws ZodError when a rule does not read */
  setFaults(rules: readonly FaultRule[], seed?: number): void;
  /** Answers 503 to everything but the switches, and nothing is committed. */
  setDown(down: boolean): void;
  isDown(): boolean;
  /** Closes the listening socket and every connection; comes back on the same port after `forMs`, or with `revive`. */
  die(forMs?: number): Promise<void>;
  revive(): Promise<void>;
  /** Forgets everything, on disk too; where webhooks go stays. */
  reset(): Promise<void>;
}

/** The part of it that needs no knowledge of the provider. */
export function troubleControl<FaultRule>(
  faults: {
    rules(): readonly FaultRule[];
    set(rules: readonly FaultRule[], seed?: number): void;
    setDown(down: boolean): void;
    isDown(): boolean;
  },
  listener: Listener,
): Pick<CommonControl<FaultRule>, 'faults' | 'setFaults' | 'setDown' | 'isDown' | 'die' | 'revive'> {
  return {
    faults: () => faults.rules(),
    setFaults: (rules, seed) => faults.set(rules, seed),
    setDown: (down) => faults.setDown(down),
    isDown: () => faults.isDown(),
    die: (forMs) => listener.die(forMs),
    revive: () => listener.revive(),
  };
}

export const faultsSchema = <Rule>(rule: z.ZodType<Rule>) =>
  z.strictObject({ rules: z.array(rule), seed: z.int().optional() });
const downSchema = z.strictObject({ down: z.boolean() });
const deadSchema = z.strictObject({ forMs: z.int().min(1).max(3_600_000) });

/**
 * The switches of a stand-in over HTTP, for people and for tests in other processes; they answer even while the rest is down.
 * @param addOwn those of this one, which go before the common ones
 */
export function controlRouter<FaultRule>(
  control: CommonControl<FaultRule>,
  {
    faultRule,
    whatIsDown = () => control.isDown(),
    limit = '100kb',
  }: {
    readonly faultRule: z.ZodType<FaultRule>;
    /** Shown beside the rules. */
    readonly whatIsDown?: () => unknown;
    readonly limit?: string;
  },
  addOwn: (router: Router) => void,
): Router {
  const router = Router();
  router.use(express.json({ limit }));
  addOwn(router);
  router.get('/ledger', (_req, res) => void res.json(control.ledger()));
  router.get('/calls', (_req, res) => void res.json(control.calls()));
  router.get('/faults', (_req, res) => void res.json({ rules: control.faults(), down: whatIsDown() }));
  router.put('/faults', (req, res) =>
    accept(faultsSchema(faultRule), req.body, res, ({ rules, seed }) => control.setFaults(rules, seed)),
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
  router.post('/reset', (_req, res) => control.reset().then(() => void res.json({ ok: true })));
  return router;
}

/** Reads the body of a switch and acts on it; what does not read gets 400 and changes nothing. */
export async function accept<T>(
  schema: z.ZodType<T>,
  body: unknown,
  res: Response,
  act: (value: T) => unknown,
): Promise<void> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    res.status(400).json({ error: { code: 'invalid_request', message: z.prettifyError(parsed.error) } });
    return;
  }
  res.json((await act(parsed.data)) ?? { ok: true });
}
