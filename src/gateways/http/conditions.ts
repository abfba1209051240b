import type { IncomingHttpHeaders } from 'node:http';

/** What a request may be conditional on. */
export interface Validators {
  /** The entity tag, with its quotes; undefined: there is nothing. */
  readonly tag: string | undefined;
  /** Unix time in milliseconds. */
  readonly modifiedMs: number;
}

/** The version of a file is its entity tag: a version's bytes never change. */
export function tagOf(version: string): string {
  return `"${version}"`;
}

/** RFC 9110, section 13.2.2. `unmet`: 412; `unchanged`: 304 to GET and HEAD. */
export function judge(method: string, headers: IncomingHttpHeaders, { tag }: Validators): 'go' | 'unmet' | 'unchanged' {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined && !lists(match, tag, 'strong')) return 'unmet';
  if (noneMatch === undefined || !lists(noneMatch, tag, 'weak')) return 'go';
  return method === 'GET' || method === 'HEAD' ? 'unchanged' : 'unmet';
}

/** Whether a Range counts: not when it is of another version (RFC 9110, section 13.1.5). */
export function rangeCounts(headers: IncomingHttpHeaders, { tag, modifiedMs }: Validators): boolean {
  const condition = headers['if-range'];
  if (typeof condition !== 'string') return true;
  if (condition.startsWith('"')) return condition === tag;
  // HTTP counts in seconds.
  return Date.parse(condition) === Math.floor(modifiedMs / 1000) * 1000;
}

function lists(header: string, tag: string | undefined, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return tag !== undefined;
  const tags = header.split(',').map((each) => each.trim());
  return tags.some((each) => (comparison === 'weak' ? each.replace(/^W\//, '') : each) === tag);
}
