import { TestWorkflowEnvironment } from '@temporalio/testing';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { timeSkippingServer } from './temporal.js';

/**
 * A Temporal server whose clock a test moves, with our search attributes.
 *
 * It strands a run whose workflow task cancels a timer that fired while the worker had the task: it refuses the completion
 * with "invalid history builder state for action" and never gives the task out again (temporalio/sdk-java#3088); a real
 * server gives it out again. So a test wakes nobody at the moment at which he would wake by himself: what many are woken
 * for at once, while their own dates pass, is tried beside the ledger alone.
 */
export async function openTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const env = await TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() });
  await addSearchAttributes(env.client, 'default');
  return env;
}
