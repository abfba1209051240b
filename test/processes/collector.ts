import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

/** OTLP in JSON, as far as it is looked at: opentelemetry.io, "OTLP Specification". */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number; readonly message?: string };
}

export interface CollectedSpan extends Omit<OtlpSpan, 'attributes'> {
  /** Name of the process. */
  readonly service: string;
  /** Id of the request. */
  readonly request: string | undefined;
}

/** A collector of traces, which OTEL_EXPORTER_OTLP_ENDPOINT names. */
export class Collector implements AsyncDisposable {
  readonly url: string;
  /** As it came. */
  text = '';
  readonly #spans: CollectedSpan[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    server.on('request', (request, response) => {
      assert.equal(`${String(request.method)} ${String(request.url)}`, 'POST /v1/traces');
      void json(request).then((body) => {
        this.#take(body as Export);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
  }

  static async open(): Promise<Collector> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Collector(server);
  }

  get spans(): readonly CollectedSpan[] {
    return this.#spans;
  }

  /** The one with this name. */
  span(name: string): CollectedSpan {
    const found = this.#spans.find((span) => span.name === name);
    assert.ok(found !== undefined, `there is a span ${name}`);
    return found;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(body: Export): void {
    this.text += JSON.stringify(body);
    for (const { resource, scopeSpans } of body.resourceSpans) {
      const service = valueOf(resource.attributes, 'service.name') ?? '';
      for (const { attributes, ...span } of scopeSpans.flatMap(({ spans }) => spans)) {
        this.#spans.push({ ...span, service, request: valueOf(attributes, 'shoal.request') });
      }
    }
  }
}

function valueOf(attributes: readonly Attribute[], key: string): string | undefined {
  return attributes.find((attribute) => attribute.key === key)?.value.stringValue;
}
