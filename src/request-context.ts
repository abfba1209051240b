import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** The header, of HTTP and of gRPC, on which a request's id goes from process to process, and from peer to peer. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Whatever a trace is continued with: the header `traceparent` (w3.org/TR/trace-context, section 3.2). */
export const TRACE_HEADER = 'traceparent';

/** On whose behalf code runs. */
export interface RequestContext {
  /** Names the request in the logs of every process and of every peer that works for it. */
  readonly id: string;
  /** Where the request is traced: the span that the next one is part of, as TRACE_HEADER says it. */
  readonly trace?: string | undefined;
}

/** Ids of others, who are not believed: they end up in our logs. */
const SOUND_ID = /^[A-Za-z0-9._-]{1,64}$/;
const SOUND_TRACE = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const contexts = new AsyncLocalStorage<RequestContext>();

/** undefined where nobody asked: what a peer does by itself. */
export function currentRequest(): RequestContext | undefined {
  return contexts.getStore();
}

/** Runs something, and whatever it awaits, on behalf of a request. */
export function withRequest<T>(context: RequestContext | undefined, run: () => T): T {
  return context === undefined ? run() : contexts.run(context, run);
}

/** A request as its headers tell of it; one without a sound id gets a new one. */
export function requestOf(header: (name: string) => unknown): RequestContext {
  const [id, trace] = [first(header(REQUEST_ID_HEADER)), first(header(TRACE_HEADER))];
  return {
    id: id !== undefined && SOUND_ID.test(id) ? id : randomUUID(),
    ...(trace !== undefined && SOUND_TRACE.test(trace) && { trace }),
  };
}

/** The headers that carry the present request on; none where there is none. */
export function requestHeaders(): Readonly<Record<string, string>> {
  const context = contexts.getStore();
  if (context === undefined) return {};
  const { id, trace } = context;
  return { [REQUEST_ID_HEADER]: id, ...(trace !== undefined && { [TRACE_HEADER]: trace }) };
}

/** gRPC metadata gives a list. */
function first(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : undefined;
}
