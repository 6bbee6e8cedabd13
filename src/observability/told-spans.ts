import type { tracing } from '@opentelemetry/sdk-node';
import { scrubText } from './scrub.js';

type Span = tracing.ReadableSpan;
type Attributes = Span['attributes'];

/** Ids of ours and of providers, and short words, stand in paths; what is longer and no id may be a token. */
const LONGEST_WORD = 40;
/** Each of them holds a path, or ends in one; what follows its `?` is the client's own business. */
const PATHS = new Set(['http.target', 'http.url', 'url.full', 'url.path', 'url.query']);
/** Everything else of a workflow's info is what it was started with, or how an earlier run failed. */
const OF_WORKFLOWS = new Set([
  'workflowId',
  'workflowType',
  'runId',
  'taskQueue',
  'namespace',
  'attempt',
  'firstExecutionRunId',
]);

/**
 * Hands spans on as they may be told outside: no query, nothing in any text that looks like a credential. The last line of
 * defence, as for the log: whoever makes a span puts no secret into it.
 */
export function tellingExporter(inner: tracing.SpanExporter): tracing.SpanExporter {
  return {
    export: (spans, done) => inner.export(spans.map(told), done),
    shutdown: () => inner.shutdown(),
    ...(inner.forceFlush && { forceFlush: () => inner.forceFlush?.() ?? Promise.resolve() }),
  };
}

/** A view of the span: what is read from it later (its context, its times) is its own. */
const told = (span: Span): Span =>
  Object.create(span, {
    name: { value: scrubText(span.name) },
    attributes: { value: toldAttributes(span.attributes) },
    status: { value: { ...span.status, ...(span.status.message && { message: scrubText(span.status.message) }) } },
    events: {
      value: span.events.map((event) => ({
        ...event,
        ...(event.attributes && { attributes: toldAttributes(event.attributes) }),
      })),
    },
  }) as Span;

function toldAttributes(attributes: Attributes): Attributes {
  const entries = Object.entries(attributes).map(([name, value]) => [name, toldValue(name, value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function toldValue(name: string, value: Attributes[string]): Attributes[string] {
  if (typeof value === 'string')
    return name === 'url.query' ? undefined : scrubText(PATHS.has(name) ? shownPath(value) : value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (!Array.isArray(value)) return undefined;
  return value.map((part) => (typeof part === 'string' ? scrubText(part) : part)) as Attributes[string];
}

const shownPath = (path: string): string =>
  (path.split('?')[0] ?? '')
    .split('/')
    .map((part) => (part.length <= LONGEST_WORD ? part : '[…]'))
    .join('/');

/** A span as the workflows' isolate tells of it, in the form of the SDK's first version. */
interface SpanOfWorkflow extends Omit<Span, 'parentSpanContext' | 'instrumentationScope'> {
  readonly parentSpanId?: string;
  readonly instrumentationLibrary?: Span['instrumentationScope'];
}

/** The same in the form of today's exporters, which would take it for the beginning of a trace. */
export function fromWorkflow(span: SpanOfWorkflow, resource: Span['resource']): Span {
  const { parentSpanId, instrumentationLibrary, attributes, ...same } = span;
  const parent = parentSpanId ? { ...span.spanContext(), spanId: parentSpanId } : undefined;
  return {
    ...same,
    resource,
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([name, value]) => OF_WORKFLOWS.has(name) || typeof value !== 'object'),
    ),
    instrumentationScope: instrumentationLibrary ?? { name: '@temporalio/interceptor-workflow' },
    ...(parent && { parentSpanContext: parent }),
  };
}
