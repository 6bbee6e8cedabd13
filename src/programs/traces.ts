import { fileURLToPath } from 'node:url';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { InjectedSinks, WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config/config.js';
import { withTimeout } from '../domain/timeout.js';
import type { Logger } from '../observability/logger.js';
import { watchCalls } from '../providers/watched-call.js';
import { VERSION } from '../version.js';

/** What server and worker need of traces; undefined where they are off, and then nothing of them was loaded. */
export interface ProcessTraces {
  readonly client: { readonly workflow: WorkflowClientInterceptor[] };
  /** Of a worker: its interceptors, and its workflow code with those that run inside of it. */
  worker(): Promise<Pick<WorkerOptions, 'interceptors' | 'sinks' | 'workflowBundle'>>;
  /** Sends what is left; never throws, never hangs. */
  stop(): Promise<void>;
}

const LAST_SPANS_WITHIN_MS = 5_000;

/** Before anything is loaded that is looked into: see observability/traces.ts. */
export async function loadTraces(
  { traces }: Pick<Config, 'traces'>,
  service: string,
  logger: Logger,
): Promise<ProcessTraces | undefined> {
  if (traces === undefined) return undefined;
  const [{ startTraces }, temporal] = await Promise.all([
    import('../observability/traces.js'),
    import('@temporalio/interceptors-opentelemetry'),
  ]);
  const running = startTraces({ url: traces.url, service, version: VERSION, logger });
  watchCalls(running.watchCall);
  logger.info({ service }, 'traces are sent');

  return {
    client: { workflow: [new temporal.OpenTelemetryWorkflowClientInterceptor()] },
    async worker() {
      // Their own OpenTelemetry is of another major version than ours; a span is put into our form on its way.
      const sink = temporal.makeWorkflowExporter(running.workflowSpans as never, running.resource);
      return {
        interceptors: {
          activity: [
            (context) => ({
              inbound: new temporal.OpenTelemetryActivityInboundInterceptor(context),
              outbound: new temporal.OpenTelemetryActivityOutboundInterceptor(context),
            }),
          ],
        },
        sinks: { exporter: sink } as unknown as InjectedSinks<never>,
        workflowBundle: await tracedBundle(),
      };
    },
    async stop() {
      watchCalls(undefined);
      await withTimeout(LAST_SPANS_WITHIN_MS, running.stop()).catch((error: unknown) =>
        logger.warn({ err: error }, 'the last spans could not be sent'),
      );
    },
  };
}

/** Made at the start of a worker that has traces: the one that is built beforehand has none of their code. */
async function tracedBundle(): Promise<{ code: string }> {
  const [{ bundleWorkflowCode, DefaultLogger }, { createRequire }] = await Promise.all([
    import('@temporalio/worker'),
    import('node:module'),
  ]);
  const { resolve } = createRequire(import.meta.url);
  return await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.js', import.meta.url)),
    workflowInterceptorModules: [resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors')],
    logger: new DefaultLogger('ERROR'),
  });
}
