import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporal } from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { quietRuntime } from '../support/quiet-runtime.js';
import { historyFile, SHAPES } from './shapes.js';

/**
 * Workflows of today's code must be able to go on with what earlier code began. A failure here means that a change of
 * workflow code breaks running workflows; recording again is almost never the fix.
 */
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  quietRuntime();
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}, 60_000);

const { History } = temporal.api.history.v1;
const read = (shape: string) => History.decode(readFileSync(historyFile(shape)));

function recordings(): string[] {
  const root = fileURLToPath(new URL('./histories/', import.meta.url));
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.history'))
    .map((name) => name.replace(/\.history$/, ''))
    .sort();
}

/** What a history carries of its items; those of sweeps, payments and refunds carry nothing that would tell them apart. */
const CARRIED: Readonly<Record<string, string>> = {
  'close-time-settlement': 'settlementId',
  'settle-batch': 'settlementId',
  'backfill-transfer-ids': 'backfillId',
  notification: 'messageId',
  reconcile: 'reconciliationId',
  'seller-transfer': 'sellerAccount',
  'refund-reversal': 'sellerAccount',
};

const SECRETS = [
  'signature',
  'sourceAccountToken',
  'authorization',
  'sandbox-token',
  'sk_test',
  'client_secret',
  'whsec',
  '_secret_',
  'api-key',
];

describe('recorded histories', () => {
  it('are there for every control-flow shape, and no other', () => {
    expect(recordings()).toEqual(Object.keys(SHAPES).sort());
  });

  it.each(Object.entries(SHAPES))('%s went through what its name says', (shape, events) => {
    const names = temporal.api.enums.v1.EventType;
    const seen = read(shape).events.map((event) => names[event.eventType ?? 0]?.replace('EVENT_TYPE_', ''));
    for (const event of events) expect(seen).toContain(event);
  });

  it.each(Object.keys(SHAPES))('%s is continued by the code of today', async (shape) => {
    const replay = Worker.runReplayHistory({ workflowBundle }, read(shape), `replay/${shape}`);
    await expect(replay).resolves.toBeUndefined();
  });

  it.each(Object.keys(SHAPES))('%s carries no credential', (shape) => {
    const bytes = readFileSync(historyFile(shape));
    const carried = CARRIED[shape.split('/')[0] ?? ''];
    for (const id of new Set(Object.values(CARRIED))) expect(bytes.includes(id)).toBe(id === carried);
    for (const secret of SECRETS) expect(bytes.includes(secret)).toBe(false);
  });
});
