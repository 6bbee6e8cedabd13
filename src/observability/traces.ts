import { createRequire, syncBuiltinESMExports } from 'node:module';
import { type DiagLogger, DiagLogLevel, diag, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { NodeSDK, resources, tracing } from '@opentelemetry/sdk-node';
import type { Logger } from './logger.js';
import { fromWorkflow, tellingExporter } from './told-spans.js';

/** Loaded only by a process that has traces: nothing else may import this file, but for its types. */

export interface TracesOptions {
  /** Base of an OTLP receiver (HTTP, protobuf); `/v1/traces` is appended. */
  readonly url: string;
  /** `makegood-server`, `makegood-worker`. */
  readonly service: string;
  readonly version: string;
  readonly logger: Logger;
}

export interface Traces {
  /** Takes the spans of workflows, whose isolate can send none itself. */
  readonly workflowSpans: tracing.SpanProcessor;
  readonly resource: resources.Resource;
  /** Makes a span of each request to a provider; see providers/watched-call.ts. */
  readonly watchCall: WatchCall;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** Probes and scrapes, which nobody looks for in traces. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** Starts before anything that it looks into is used. Spans leave in the background; a receiver that is away costs nobody anything. */
export function startTraces({ url, service, version, logger }: TracesOptions): Traces {
  diag.setLogger(diagnosticsTo(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const exporter = tellingExporter(new OTLPTraceExporter({ url: `${url}/v1/traces` }));
  const processor = new tracing.BatchSpanProcessor(exporter);
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ 'service.name': service, 'service.version': version }))
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    spanProcessors: [processor],
    // Of OpenTelemetry's three kinds of news only this one: metrics are scraped, logs are on standard error.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [incoming(), new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true })],
  });
  sdk.start();
  patch();
  return {
    workflowSpans: {
      onStart: () => undefined,
      onEnd: (span) => processor.onEnd(fromWorkflow(span, resource)),
      forceFlush: () => processor.forceFlush(),
      shutdown: () => Promise.resolve(),
    },
    resource,
    watchCall,
    stop: () => sdk.shutdown(),
  };
}

/** A receiver that is away fails every batch: that is told once in a while. */
function diagnosticsTo(logger: Logger): DiagLogger {
  let toldMs = Number.NEGATIVE_INFINITY;
  const tell = (message: string) => {
    if (performance.now() - toldMs < TELL_EVERY_MS) return;
    toldMs = performance.now();
    logger.warn({}, `traces: ${message}`);
  };
  const keepQuiet = () => undefined;
  return { error: tell, warn: tell, info: keepQuiet, debug: keepQuiet, verbose: keepQuiet };
}
const TELL_EVERY_MS = 60_000;

/** Calls of ours get a span of their own ({@link watchCall}): what they carry outside is what a provider's contract says, and no trace. */
const incoming = () =>
  new HttpInstrumentation({
    disableOutgoingRequestInstrumentation: true,
    ignoreIncomingRequestHook: ({ url }) => QUIET.has(url?.split('?')[0] ?? ''),
    applyCustomAttributesOnSpan: (span, request, response) => {
      const { route, method } = request as { route?: { path?: unknown }; method?: string };
      if (typeof route?.path === 'string') {
        span.updateName(`${method} ${route.path}`);
        span.setAttribute('http.route', route.path);
      }
      const id = 'getHeader' in response ? response.getHeader('x-request-id') : undefined;
      if (typeof id === 'string') span.setAttribute('makegood.request_id', id);
    },
  });

/**
 * The instrumentations patch what is required after they are there; our modules import. What they patch is the same object
 * for both, so it is required here, and Node is told to let importers of its own modules see it.
 */
function patch(): void {
  const require = createRequire(import.meta.url);
  for (const name of ['http', 'https', 'pg']) require(name);
  createRequire(require.resolve('pg'))('pg-pool');
  syncBuiltinESMExports();
}

/** Like that of src/providers, whose room this one does not know. */
type WatchCall = <Result>(
  call: { readonly method: string; readonly url: string | URL; readonly what?: string },
  send: () => Promise<Result>,
  seen: (result: Result) => { readonly status?: number; readonly requestId?: string | null; readonly failed?: string },
) => Promise<Result>;

/** Parts of a path that name one thing: a name of a span that holds them is of no use to anybody. */
const AN_ID = /\/(?=[^/]*\d)[A-Za-z0-9_-]{12,}/g;

const watchCall: WatchCall = ({ method, url, what }, send, seen) => {
  const { hostname, port } = new URL(url);
  const purpose = what?.split('?')[0]?.replaceAll(AN_ID, '/{id}') ?? hostname;
  const attributes = {
    'http.request.method': method,
    'server.address': hostname,
    ...(port !== '' && { 'server.port': Number(port) }),
    'makegood.call': purpose,
  };
  return trace
    .getTracer('makegood')
    .startActiveSpan(`${method} ${purpose}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      try {
        const result = await send();
        const { status, requestId, failed } = seen(result);
        if (status !== undefined) span.setAttribute('http.response.status_code', status);
        if (requestId) span.setAttribute('makegood.provider_request_id', requestId);
        if (failed !== undefined) span.setAttribute('error.type', failed);
        if (failed !== undefined || (status ?? 0) >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
        return result;
      } catch (error) {
        span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
};
