import type { FastifyRequest } from 'fastify';
import { StorageError } from '../errors.js';

function invalid(name: string, what: string): StorageError {
  return new StorageError('INVALID_ARGUMENT', `The parameter "${name}" is not ${what}.`);
}

/** The parameters of a URL. Those that nobody asks for are passed over, as CouchDB does. */
export class Query {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(request: FastifyRequest) {
    this.#values = Object(request.query) as Record<string, unknown>;
  }

  /** @returns undefined when it is absent */
  text(name: string): string | undefined {
    const value = Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw invalid(name, 'given once');
  }

  flag(name: string, absent = false): boolean {
    const value = this.text(name);
    if (value === undefined) return absent;
    if (value === 'true' || value === 'false') return value === 'true';
    throw invalid(name, 'true or false');
  }

  count(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,15}$/.test(value)) throw invalid(name, 'a whole number');
    return Number(value);
  }

  /** A string in JSON, as the keys of a listing are. */
  key(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = this.json(name);
      if (typeof value === 'string') return value;
      if (value !== undefined) throw invalid(name, 'a string in JSON');
    }
    return undefined;
  }

  json(name: string): unknown {
    const value = this.text(name);
    if (value === undefined) return undefined;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw invalid(name, 'JSON');
    }
  }
}

/** The body of a request, which must be an object. */
export function bodyOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { body } = request;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new StorageError('INVALID_ARGUMENT', 'The body of this request is a JSON object.');
}
