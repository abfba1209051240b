import { apiUrl, call, type Call } from './client.js';
import type { DeletedReply, EntryReply, RemoveReply, VersionReply, WhereReply } from './types.js';

type Option = Pick<Call, 'signal'>;

/** The files of whoever is signed in. Each function is one request of web-api.ts. */
export const filesApi = {
  stat: (path: string, option: Option = {}) => call<EntryReply>('GET', '/stat', { query: { path }, ...option }),
  entries: (path: string, option: Option = {}) => call<EntryReply[]>('GET', '/entries', { query: { path }, ...option }),
  search: (text: string, path: string, { limit, ...option }: Option & { readonly limit: number }) =>
    call<EntryReply[]>('GET', '/search', { query: { text, path, limit }, ...option }),
  trash: (option: Option = {}) => call<DeletedReply[]>('GET', '/trash', option),
  versions: (path: string, option: Option = {}) =>
    call<VersionReply[]>('GET', '/versions', { query: { path }, ...option }),
  where: (path: string, option: Option = {}) => call<WhereReply>('GET', '/where', { query: { path }, ...option }),
  makeFolder: (path: string) => call<undefined>('POST', '/folders', { body: { path } }),
  move: (from: string, to: string) => call<undefined>('POST', '/move', { body: { from, to } }),
  /** Without a version: out of the trash; with one: that version becomes the current one. */
  restore: (path: string, version?: string) =>
    call<EntryReply>('POST', '/restore', { body: { path, ...(version === undefined ? {} : { version }) } }),
  remove: (path: string, { recursive = false, forever = false } = {}) =>
    call<RemoveReply>('DELETE', '/entries', {
      query: { path, recursive: recursive || undefined, forever: forever || undefined },
    }),
  emptyTrash: () => call<RemoveReply>('DELETE', '/trash'),
};

/** For <img>, <video>, <iframe>: shown here, as far as its type is harmless. */
export function inlineUrl(path: string, version?: string): string {
  return apiUrl('/content', { path, version, disposition: 'inline' });
}

/** For <a download>. */
export function downloadUrl(path: string, version?: string): string {
  return apiUrl('/content', { path, version, disposition: 'attachment' });
}

/** A zip of everything in `paths`, made while it is sent. */
export function archiveUrl(paths: readonly string[]): string {
  return apiUrl('/archive', { path: paths });
}
