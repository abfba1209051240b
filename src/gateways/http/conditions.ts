import type { IncomingHttpHeaders } from 'node:http';
import type { Precondition } from '../../catalog/catalog.js';
import type { VersionId } from '../../chunk/ids.js';

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

const VERSION_TAG = /^"[0-9a-f]{32}"$/;

function isAny(header: string): boolean {
  return header.trim() === '*';
}

function tagsIn(header: string): string[] {
  return header.split(',').map((each) => each.trim());
}

/** RFC 9110, section 13.2.2. `unmet`: 412; `unchanged`: 304 to GET and HEAD. */
export function judge(method: string, headers: IncomingHttpHeaders, { tag }: Validators): 'go' | 'unmet' | 'unchanged' {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined && !lists(match, tag, 'strong')) return 'unmet';
  if (noneMatch === undefined || !lists(noneMatch, tag, 'weak')) return 'go';
  return method === 'GET' || method === 'HEAD' ? 'unchanged' : 'unmet';
}

/** What `judge` looks at, for the catalog: whoever makes a version visible looks again, with nobody in between. */
export function preconditionsOf(headers: IncomingHttpHeaders): readonly Precondition[] | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const conditions: Precondition[] = [];
  if (match !== undefined) {
    conditions.push(isAny(match) ? { among: false, versions: [null] } : { among: true, versions: versionsIn(match) });
  }
  if (noneMatch !== undefined) {
    const named = noneMatch.replaceAll('W/', '');
    conditions.push(isAny(named) ? { among: true, versions: [null] } : { among: false, versions: versionsIn(named) });
  }
  return conditions.length === 0 ? undefined : conditions;
}

/** Tags that are no versions match nothing. */
function versionsIn(header: string): VersionId[] {
  return tagsIn(header).flatMap((tag) => (VERSION_TAG.test(tag) ? [tag.slice(1, -1) as VersionId] : []));
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
  if (isAny(header)) return tag !== undefined;
  return tagsIn(header).some((each) => (comparison === 'weak' ? each.replace(/^W\//, '') : each) === tag);
}
