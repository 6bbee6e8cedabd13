import { type Client, isGrpcServiceError, type WorkflowStartOptions } from '@temporalio/client';

/** A start that Temporal does not answer in this time is left to the sweep. */
const START_WITHIN_MS = 5_000;

/** "Already running" is success where the options say USE_EXISTING. */
export const start = (client: Client, type: string, options: WorkflowStartOptions): Promise<void> =>
  withoutAttributesIfNeeded(client, options, (given) => client.workflow.start(type, given));

/** Begins a workflow, by a start or by a signal with start. @throws what Temporal said, or that it did not answer in time */
export async function withoutAttributesIfNeeded<Options extends WorkflowStartOptions>(
  client: Client,
  options: Options,
  begin: (options: Options) => Promise<unknown>,
): Promise<void> {
  await client.connection.withDeadline(Date.now() + START_WITHIN_MS, async () => {
    try {
      await begin(options);
    } catch (error) {
      if (!lacksSearchAttributes(error)) throw error;
      // A wiped Temporal has no search attributes until the worker makes them again; money does not wait for that.
      await begin({ ...options, typedSearchAttributes: undefined });
    }
  });
}

function lacksSearchAttributes(error: unknown): boolean {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return isGrpcServiceError(cause) && /search attribute/i.test(cause.details);
}
