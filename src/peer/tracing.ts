import { setTimeout as delay } from 'node:timers/promises';
import type * as Otel from '@opentelemetry/api';
import type { Attributes, SpanContext, Tracer as OtelTracer } from '@opentelemetry/api';
import type { NodeTracerConfig, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { StorageError } from '../errors.js';
import { CLOSE_GRACE_MS } from '../limits.js';
import { findPackage } from '../package.js';
import type { RequestContext } from '../request-context.js';
import { UNTRACED, type Span, type SpanStart, type Tracer } from '../telemetry.js';

/** Where traces go, as OpenTelemetry's own variables say: opentelemetry.io, "OTLP Exporter Configuration". */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

type Api = typeof Otel;
type Resource = NonNullable<NodeTracerConfig['resource']>;

/** Traces of a process go to a collector where the environment names one; else nothing of OpenTelemetry is loaded. */
export async function openTracer(
  environment: Readonly<Record<string, string | undefined>>,
  service: string,
): Promise<Tracer> {
  if (ENDPOINTS.every((name) => (environment[name] ?? '') === '')) return UNTRACED;
  const [api, { BatchSpanProcessor, NodeTracerProvider: Provider }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const name = environment['OTEL_SERVICE_NAME'] ?? `shoal-${service}`;
  const provider = new Provider({
    resource: resourceOf({ 'service.name': name, 'service.version': findPackage().version }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  return new OtlpTracer(api, provider);
}

/** What traces come from. The SDK makes one only by a package of its own, which detects what nobody asked for. */
function resourceOf(attributes: Attributes): Resource {
  return {
    attributes,
    merge: (other) => (other === null ? resourceOf(attributes) : resourceOf({ ...attributes, ...other.attributes })),
    getRawAttributes: () => Object.entries(attributes),
  };
}

/** Spans whose parent is carried by the request's own context, and not by OpenTelemetry's. */
class OtlpTracer implements Tracer {
  readonly #api: Api;
  readonly #provider: NodeTracerProvider;
  readonly #tracer: OtelTracer;
  #closing: Promise<void> | undefined;

  constructor(api: Api, provider: NodeTracerProvider) {
    this.#api = api;
    this.#provider = provider;
    this.#tracer = provider.getTracer('shoal', findPackage().version);
  }

  begin({ name, kind, of, attributes }: SpanStart): Span {
    if (of === undefined) return UNTRACED.begin({ name, kind, of });
    const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = this.#api;
    const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };
    const parent = of.trace === undefined ? undefined : spanContextOf(of.trace);
    const span = this.#tracer.startSpan(
      name,
      { kind: kinds[kind], attributes: { 'shoal.request': of.id, ...attributes } },
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    const context: RequestContext = { id: of.id, trace: traceparent(span.spanContext()) };
    return {
      context,
      end: (failure) => {
        if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: reasonOf(failure) });
        span.end();
      },
    };
  }

  /** What was traced last is sent first. */
  [Symbol.asyncDispose](): Promise<void> {
    // A collector that is away is no reason for a peer to end late, or badly.
    const late = delay(CLOSE_GRACE_MS, undefined, { ref: false });
    this.#closing ??= Promise.race([this.#provider.shutdown().catch(() => undefined), late]);
    return this.#closing;
  }
}

/** A code and no words: those may name what the catalog seals. */
function reasonOf(failure: unknown): string {
  if (failure instanceof StorageError) return failure.code;
  return typeof failure === 'string' ? failure : 'INTERNAL';
}

/** w3.org/TR/trace-context, section 3.2: version, trace, parent, flags. */
function spanContextOf(text: string): SpanContext {
  const [, traceId = '', spanId = '', flags = '00'] = text.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function traceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
