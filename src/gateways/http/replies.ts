import type { DeletedEntry, Entry, Manifest, StripeRecord, VersionSummary } from '../../catalog/catalog.js';
import type { DraftSummary } from '../../file/draft/draft.js';
import type { PutResult } from '../../file/put.js';
import type { DeletedReply, EntryReply, PutReply, UploadReply, VersionReply, WhereReply } from './api.js';

/** @param ms Unix time @returns RFC 3339, in UTC */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Null for what is not known, or never was: 0. */
export function timeOrNull(ms: number | null = 0): string | null {
  return ms === null || ms === 0 ? null : timeOf(ms);
}

export function deletedReply({ path, type, files, bytes, deletedMs }: DeletedEntry): DeletedReply {
  return { path, type, files, bytes, deleted: timeOf(deletedMs) };
}

export function entryReply({ path, type, bytes, modifiedMs, version }: Entry): EntryReply {
  return { path, type, bytes, modified: timeOf(modifiedMs), version: version ?? null };
}

export function versionReply({ version, bytes, modifiedMs, createdMs, current }: VersionSummary): VersionReply {
  return { version, bytes, modified: timeOf(modifiedMs), created: timeOf(createdMs), current };
}

export function putReply(path: string, { version, bytes, stripes, missingChunks }: PutResult): PutReply {
  return { path, version, bytes, stripes, missingChunks };
}

export function uploadReply({
  id,
  path,
  bytes,
  storedBytes,
  createdMs,
  expiresMs,
  origin,
  active,
}: DraftSummary): UploadReply {
  const source = origin.kind === 'local' ? origin.local : origin.source;
  const times = { created: timeOf(createdMs), expires: timeOf(expiresMs) };
  return { id, path, bytes, storedBytes, ...times, source: source === '' ? null : source, kind: origin.kind, active };
}

/** @param stripes of the manifest, each once, in order of first use */
export function whereReply(path: string, manifest: Manifest, stripes: readonly StripeRecord[]): WhereReply {
  const [first] = stripes;
  return {
    path,
    bytes: manifest.bytes,
    k: first?.k ?? 0,
    m: first?.m ?? 0,
    stripes: stripes.map(({ id, chunks, placement, chunkBytes }) => ({
      id,
      chunks: chunks.map((chunk, index) => ({
        index,
        id: chunk,
        peer: placement[index]?.peer ?? null,
        bytes: chunkBytes,
      })),
    })),
  };
}
