import { MAX_SEQUENCE_CHARS } from '../limits.js';

/** The parameters that a route takes, each with the form of its value. */
export type QueryForm = Readonly<Record<string, RegExp>>;

const FLAG = /^(?:true|false)$/;
const COUNT = /^\d{1,9}$/;
const REVISION = '[1-9]\\d{0,8}-[0-9a-f]{32}';

export const NO_QUERY: QueryForm = {};

export const CHANGES_QUERY: QueryForm = {
  // Membership is asked for each request, so a feed that goes on for ever would still tell a peer that was removed.
  feed: /^(?:normal|longpoll)$/,
  // A function of a design document would run in the host's query server for as long as it likes.
  filter: /^_(?:selector|doc_ids)$/,
  // An empty line every millisecond is work for nothing.
  heartbeat: /^(?:true|false|[1-9]\d{3,5})$/,
  include_docs: FLAG,
  limit: COUNT,
  since: new RegExp(`^[A-Za-z0-9_-]{1,${String(MAX_SEQUENCE_CHARS)}}$`),
  style: /^(?:main_only|all_docs)$/,
  timeout: COUNT,
};

/** A beginning of ids: with its hyphen, or with what sorts behind all that begin so. */
const KEY = /^"[a-z0-9-]{1,200}[.-]"$/;

export const LISTING_QUERY: QueryForm = { endkey: KEY, include_docs: FLAG, limit: COUNT, skip: COUNT, startkey: KEY };

export const BULK_GET_QUERY: QueryForm = { latest: FLAG, revs: FLAG };

export const DOCUMENT_QUERY: QueryForm = {
  conflicts: FLAG,
  latest: FLAG,
  open_revs: new RegExp(`^(?:all|\\["${REVISION}"(?:,"${REVISION}"){0,99}\\])$`),
  rev: new RegExp(`^${REVISION}$`),
  revs: FLAG,
};

/**
 * A query for CouchDB, written anew from what was understood of the caller's: CouchDB also parts parameters at a semicolon,
 * and one that two readers read differently would pass here as something else.
 *
 * @param query with its question mark, or empty
 * @returns undefined for a parameter that is not in the form, or is there twice
 */
export function couchQuery(query: string, form: QueryForm): string | undefined {
  const asked = [...new URLSearchParams(query)];
  const names = new Set(asked.map(([name]) => name));
  const isUnderstood = asked.every(([name, value]) => Object.hasOwn(form, name) && form[name]?.test(value) === true);
  if (!isUnderstood || names.size !== asked.length) return undefined;
  return asked.length === 0 ? '' : `?${new URLSearchParams(asked).toString()}`;
}
