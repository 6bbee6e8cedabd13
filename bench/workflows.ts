import { proxyActivities, proxySinks, type Sinks } from '@temporalio/workflow';
import type { PlainActivities } from './processes/plain-worker.js';

interface CountingSinks extends Sinks {
  counter: { done(): void };
}
const { counter } = proxySinks<CountingSinks>();

/** The least that a workflow can be: what Temporal itself costs on this machine. */
export async function noActivity(): Promise<void> {
  counter.done();
}

/** What one writes first: a normal activity under Temporal's usual retry, everything else as it comes. */
export async function plainSettlement(charge: { id: string; key: string; body: string }): Promise<void> {
  const { settle } = proxyActivities<PlainActivities>({ startToCloseTimeout: '30s' });
  await settle(charge);
}
