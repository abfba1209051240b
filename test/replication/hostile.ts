import { once } from 'node:events';
import type { Document } from '../../src/documents/document-database.js';
import type { HttpCall, HttpSend } from '../../src/http-call.js';

/** A revision as a host gives it out. */
export interface Served extends Document {
  readonly _rev: string;
  readonly _deleted?: boolean;
  readonly _revisions: { readonly start: number; readonly ids: readonly string[] };
}

export function revision(document: Document, ids: readonly string[], more: object = {}): Served {
  const start = ids.length;
  return { ...document, ...more, _rev: `${String(start)}-${ids[0] ?? ''}`, _revisions: { start, ids } };
}

/** A host that serves what it likes, and takes everything. */
export class HostileHost {
  served: readonly Served[] = [];
  taken: Document[] = [];
  /** Changes single answers. */
  answer: ((call: HttpCall) => unknown) | undefined;
  calls = 0;
  readonly #locals = new Map<string, unknown>();

  readonly send: HttpSend = async (call) => {
    this.calls++;
    const value = this.answer?.(call) ?? (await this.#reply(call));
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { status: value === NOT_FOUND ? 404 : 200, body: parts(text) };
  };

  async #reply({ method, path, body, signal }: HttpCall): Promise<unknown> {
    const route = path.replace(/^\/[^/?]*/, '');
    if (route.startsWith('/_changes')) return this.#feed(new URLSearchParams(route.split('?')[1]), signal);
    if (route.startsWith('/_local/')) {
      if (method === 'PUT') this.#locals.set(route, JSON.parse(body ?? ''));
      return this.#locals.get(route) ?? NOT_FOUND;
    }
    if (route === '/_revs_diff') return withMissing(JSON.parse(body ?? '') as Record<string, string[]>);
    if (route.startsWith('/_bulk_get')) return this.#get(body ?? '');
    if (route === '/_bulk_docs') this.taken.push(...(JSON.parse(body ?? '') as { docs: Document[] }).docs);
    return [];
  }

  async #feed(query: URLSearchParams, signal: AbortSignal): Promise<unknown> {
    const since = Number(query.get('since'));
    if (since >= this.served.length && query.get('feed') === 'longpoll')
      await once(signal, 'abort').catch(() => undefined);
    const rows = this.served
      .slice(since)
      .map(({ _id, _rev }, at) => ({ seq: since + at + 1, id: _id, changes: [{ rev: _rev }] }));
    return { results: rows, last_seq: this.served.length, pending: 0 };
  }

  #get(body: string): unknown {
    const { docs } = JSON.parse(body) as { docs: { id: string; rev: string }[] };
    const results = docs.map(({ id, rev }) => ({
      id,
      docs: this.served.filter((each) => each._id === id && each._rev === rev).map((ok) => ({ ok })),
    }));
    return { results };
  }
}

const NOT_FOUND = { error: 'not_found', reason: 'missing' };

function withMissing(asked: Record<string, string[]>): unknown {
  return Object.fromEntries(Object.entries(asked).map(([id, missing]) => [id, { missing }]));
}

export async function* parts(text: string): AsyncIterable<Uint8Array> {
  for (let at = 0; at < text.length; at += 65_536) yield Buffer.from(text.slice(at, at + 65_536));
}
