import { problemOf, unreachable } from './problem.js';

/** Below which the whole API lies. */
export const API = '/api/v1';

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Call {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: Blob;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

let csrfToken: string | null = null;
let onSessionEnded: () => void = () => undefined;

/** Every request that changes something carries this token of the session (SessionReply.csrf). */
export function keepCsrf(token: string | null): void {
  csrfToken = token;
}

/** Called whenever an answer shows that nobody is signed in here any more. */
export function whenSessionEnds(listener: () => void): void {
  onSessionEnded = listener;
}

/** For requests that are not made here (XMLHttpRequest, tus). */
export function csrfHeaders(): Record<string, string> {
  return csrfToken === null ? {} : { 'x-shoal-csrf': csrfToken };
}

/** `/api/v1/stat?path=%2Fa`; parts that are undefined are left out, those of a list repeated. */
export function apiUrl(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [String(value)])
      parameters.append(name, one);
  }
  return parameters.size === 0 ? `${API}${path}` : `${API}${path}?${parameters.toString()}`;
}

/** @throws Problem; whatever `signal` was aborted with */
export async function call<T>(method: Method, path: string, options: Call = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** The answer itself, when it is a good one. @throws Problem */
export async function send(method: Method, path: string, options: Call = {}): Promise<Response> {
  const { query, signal } = options;
  let response: Response;
  try {
    response = await fetch(apiUrl(path, query), requestOf(method, options));
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof TypeError) throw unreachable();
    throw error;
  }
  if (response.ok) return response;
  const problem = problemOf(response.status, await bodyOf(response), response.headers.get('retry-after'));
  // A wrong passphrase is UNAUTHENTICATED too: only where the session itself is asked for, the answer says how to show one.
  if (problem.code === 'UNAUTHENTICATED' && response.headers.has('www-authenticate')) onSessionEnded();
  throw problem;
}

function requestOf(method: Method, { body, raw, signal, headers }: Call): RequestInit {
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: {
      ...(method === 'GET' ? {} : csrfHeaders()),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(content === undefined ? {} : { body: content }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined; // Not JSON: problemOf has words for that.
  }
}
