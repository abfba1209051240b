import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../../log.js';
import { REQUEST_ID_HEADER, requestOf, withRequest } from '../../request-context.js';
import type { Span, Telemetry } from '../../telemetry.js';

interface Observed {
  readonly span: Span;
  readonly kind: string;
}

/**
 * Gives every request of a server its id, which whatever is done for it then has, in the logs of other processes and peers
 * too; counts it, traces it, and says at the end how it went. Never the path: remote names are nobody else's.
 */
export function observe(server: FastifyInstance, { counts, tracer }: Telemetry, logger: Logger): void {
  const observed = new WeakMap<FastifyRequest, Observed>();

  server.addHook('onRequest', (request, reply, done) => {
    const context = requestOf((name) => request.headers[name]);
    const kind = `${request.method} ${request.routeOptions.url ?? 'none'}`;
    const span = tracer.begin({ name: kind, kind: 'server', of: context });
    observed.set(request, { span, kind });
    counts.requests.of(kind).begin();
    void reply.header(REQUEST_ID_HEADER, context.id);
    withRequest(span.context, done);
  });

  // Reading a body begins in a context of its own: that of the connection.
  server.addHook('preValidation', (request, _reply, done) => {
    withRequest(observed.get(request)?.span.context, done);
  });

  server.addHook('onResponse', (request, reply, done) => {
    const known = observed.get(request);
    if (known !== undefined) {
      const { span, kind } = known;
      const { statusCode: status, elapsedTime } = reply;
      const failed = status >= 500;
      counts.requests.of(kind).end(elapsedTime / 1000, failed);
      span.end(failed ? `HTTP ${String(status)}` : undefined);
      withRequest(span.context, () => {
        logger.debug({ call: kind, status, ms: Math.round(elapsedTime) }, 'request answered');
      });
    }
    done();
  });
}
