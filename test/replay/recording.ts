import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { historyFile } from './shapes.js';

/** Writes one run's history where the replay tests find it. */
export async function recordHistory(shape: string, handle: Pick<WorkflowHandle, 'fetchHistory'>): Promise<void> {
  const history = await handle.fetchHistory();
  withoutStacks(history);
  const file = historyFile(shape);
  mkdirSync(fileURLToPath(new URL('.', file)), { recursive: true });
  writeFileSync(fileURLToPath(file), temporal.api.history.v1.History.encode(history).finish());
}

/** They name folders of the machine that recorded, and no replay reads them. */
function withoutStacks(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if ('stackTrace' in value) value.stackTrace = '';
  for (const inner of Object.values(value)) withoutStacks(inner);
}
