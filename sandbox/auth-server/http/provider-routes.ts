import { randomUUID } from 'node:crypto';
import express, { type Request, type Response, Router } from 'express';
import { answerUnderFault } from '../../stand-in/misbehaviour.js';
import { malformed, type Reading, SANDBOX_PROTOCOLS, type SandboxProtocol } from '../claims/claim.js';
import { sha256 } from '../claims/fields.js';
import { nameSigner } from '../claims/mpp-signer.js';
import { readClaim } from '../claims/read-claim.js';
import { signatureMatches } from '../claims/signature.js';
import type { CallLog } from '../control/call-log.js';
import type { FaultCall, Faults } from '../faults.js';
import type { Book, SettleOutcome } from '../state/book.js';
import { AFTER, BEFORE, sendProblem } from './answers.js';

export interface ProviderDependencies {
  readonly book: Book;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly checkSignatures: boolean;
  /** Aborted when the sandbox goes away, so that a slow answer does not commit behind its back. */
  readonly closing: AbortSignal;
}

/** What a settle that turns credit into USDC takes at its slowest. */
const SLOW_MS = 15_000;

/** The address that `upto` authorizations must name; nobody holds its key. */
const SANDBOX_FACILITATOR = '0x5a4db0c5a4db0c5a4db0c5a4db0c5a4db0c5a4db';
const SANDBOX_ESCROW = '0x4d50500000000000000000000000000000000000';

/** The auth server as the ATXP SDK calls it: verify, settle, payment-request and the two lists of what is supported. */
export function providerRoutes(dependencies: ProviderDependencies): Router {
  const router = Router();
  router.use(express.raw({ type: () => true, limit: '1mb' }));
  router.post('/settle/:protocol', (req, res) => settle(dependencies, req, res));
  router.post('/verify/:protocol', (req, res) => verify(dependencies, req, res));
  router.post('/payment-request', (req, res) => paymentRequest(dependencies, req, res));
  router.get(['/x402/supported', '/mpp/supported'], (req, res) =>
    withFaults(dependencies, { call: 'supported', protocol: undefined, res }, async () => {
      return () => void res.json(req.path.startsWith('/x402') ? X402_SUPPORTED : MPP_SUPPORTED);
    }),
  );
  return router;
}

const X402_SUPPORTED = { 'eip155:8453': SANDBOX_FACILITATOR, 'eip155:84532': SANDBOX_FACILITATOR };
const MPP_SUPPORTED = {
  tempo: {
    escrowContract: SANDBOX_ESCROW,
    authorizedSigner: SANDBOX_FACILITATOR,
    operator: SANDBOX_FACILITATOR,
    chainId: 42431,
  },
  solana: null,
};

async function settle(dependencies: ProviderDependencies, req: Request, res: Response): Promise<void> {
  const { book, calls } = dependencies;
  const call = await readCall(req);
  if (call === undefined) return sendProblem(res, unknownProtocol);
  const { protocol, reading, digest } = call;
  const end = calls.begin({
    protocol,
    key: reading.key ?? `unreadable:${digest}`,
    body: digest,
    idempotencyKey: req.get('idempotency-key') ?? '',
  });
  try {
    await withFaults(dependencies, { call: 'settle', protocol, res }, async () => {
      if (!('claim' in reading)) return () => sendProblem(res, reading.problem);
      if (dependencies.checkSignatures && !(await signatureMatches(reading.claim))) {
        return () => sendProblem(res, badSignature);
      }
      const outcome = book.settle(reading.claim, digest);
      if (outcome.kind !== 'refused') await outcome.durable;
      return () => sendOutcome(res, outcome, reading.claim.echo);
    });
  } finally {
    end();
  }
}

function sendOutcome(res: Response, outcome: SettleOutcome, echo: Readonly<Record<string, string>>): void {
  if (outcome.kind === 'refused') return sendProblem(res, outcome.problem);
  const { txHash, settledAmount, network, payer } = outcome.debit;
  const facts = { settledAmount, network, payer, ...echo };
  res.json(outcome.kind === 'settled' ? { txHash, ...facts } : { txHash: null, alreadySettled: true, ...facts });
}

/** Never changes anything: 200 `{valid}` for whatever could be read, 400 for what could not. */
async function verify(dependencies: ProviderDependencies, req: Request, res: Response): Promise<void> {
  const { book, calls } = dependencies;
  const call = await readCall(req);
  if (call === undefined) return sendProblem(res, unknownProtocol);
  const { protocol, reading } = call;
  calls.verified();
  await withFaults(dependencies, { call: 'verify', protocol, res }, async () => {
    if (!('claim' in reading)) {
      return reading.problem.code === 'invalid_request'
        ? () => sendProblem(res, reading.problem)
        : invalid(res, reading.problem.code);
    }
    const problem = book.check(reading.claim);
    if (problem) return invalid(res, problem.code);
    if (dependencies.checkSignatures && !(await signatureMatches(reading.claim)))
      return invalid(res, badSignature.code);
    const { payer, confirmed, manages } = reading.claim;
    // A close gives its payer's deposit back: nobody is believed for it.
    if (manages === 'close' && !confirmed) return invalid(res, badSignature.code);
    return () => void res.json({ valid: true, ...(confirmed && { payer }) });
  });
}

const invalid = (res: Response, invalidReason: string) => () => void res.json({ valid: false, invalidReason });

async function paymentRequest(dependencies: ProviderDependencies, req: Request, res: Response): Promise<void> {
  await withFaults(dependencies, { call: 'payment-request', protocol: undefined, res }, async () => {
    if (parse(req.body) === undefined) return () => sendProblem(res, malformed('the body is not JSON'));
    return () => void res.json({ id: `pr_${randomUUID()}` });
  });
}

async function withFaults(
  { faults, closing }: ProviderDependencies,
  { call, protocol, res }: { call: FaultCall; protocol: SandboxProtocol | undefined; res: Response },
  work: () => Promise<() => void>,
): Promise<void> {
  if (faults.isDown(protocol)) return refuseAll(res);
  const fault = faults.strike(
    ({ on, protocols }) => on.includes(call) && (protocol === undefined || protocols.includes(protocol)),
  );
  await answerUnderFault(res, fault, { before: BEFORE, after: AFTER, slowMs: SLOW_MS, closing }, work);
}

function refuseAll(res: Response): void {
  res.status(503).json({ error: { code: 'service_unavailable', message: 'the auth server is down' } });
}

const unknownProtocol = malformed('the protocol is one of atxp, x402, mpp');
const badSignature = { status: 400, code: 'invalid_signature', message: 'the signature is not the payer’s' } as const;

async function readCall(
  req: Request,
): Promise<{ protocol: SandboxProtocol; reading: Reading; digest: string } | undefined> {
  const protocol = SANDBOX_PROTOCOLS.find((known) => known === req.params.protocol);
  if (protocol === undefined) return undefined;
  const body = parse(req.body);
  const reading = await nameSigner(readClaim(protocol, body), body);
  return { protocol, reading, digest: sha256(bytesOf(req.body)) };
}

/** express leaves `{}` or undefined where a request has no body at all. */
const bytesOf = (body: unknown): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

function parse(body: unknown): unknown {
  try {
    return JSON.parse(bytesOf(body).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
