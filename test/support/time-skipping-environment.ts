import { TestWorkflowEnvironment } from '@temporalio/testing';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { timeSkippingServer } from './temporal.js';

/** A Temporal server whose clock a test moves, with our search attributes. */
export async function openTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const env = await TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() });
  await addSearchAttributes(env.client, 'default');
  return env;
}
