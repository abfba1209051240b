import { Counts } from './counts.js';
import { withRequest, type RequestContext } from './request-context.js';

/** What a process tells of its work beside its log. Passed in like the logger. */
export interface Telemetry {
  readonly counts: Counts;
  readonly tracer: Tracer;
}

export interface SpanStart {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** On whose behalf; without anybody there is no span. */
  readonly of: RequestContext | undefined;
  /** Nothing that the catalog seals: no path, no name of a file. */
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** A part of the work for a request, of which whatever is begun in its context is a part. */
export interface Span {
  readonly context: RequestContext | undefined;
  /** @param failure why it ended, when it did not end well */
  end(failure?: unknown): void;
}

export interface Tracer extends AsyncDisposable {
  begin(start: SpanStart): Span;
}

/** Where nobody collects traces. */
export const UNTRACED: Tracer = {
  begin: ({ of }) => ({ context: of, end: () => undefined }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** For tests, and wherever nobody asks. */
export function silentTelemetry(): Telemetry {
  return { counts: new Counts(), tracer: UNTRACED };
}

/** Runs something as a span. */
export async function traced<T>(tracer: Tracer, start: SpanStart, run: () => Promise<T>): Promise<T> {
  const span = tracer.begin(start);
  try {
    const result = await withRequest(span.context, run);
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}
