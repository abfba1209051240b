import type { ExtentRef, Manifest } from '../../catalog/catalog.js';
import type { LiveVersion } from '../../catalog/compaction.js';
import type { DirectoryExtent } from '../../chunk/directory.js';
import type { FileId, StripeId, VersionId } from '../../chunk/ids.js';

/** A version of a file that is there whole. */
export interface FoundVersion {
  /** Where it lay when it was stored. */
  readonly path: string;
  readonly manifest: Manifest;
  /** When it was stored; where that is not known, when the file was changed. */
  readonly createdMs: number;
}

/** A version of which something is missing. */
export interface BrokenVersion {
  readonly path: string;
  readonly file: FileId;
  readonly version: VersionId;
  /** Plaintext bytes that were found. */
  readonly bytes: number;
  /** "bytes 0–4095 and everything from byte 8192 on" */
  readonly missing: string;
}

interface Part {
  readonly fileOffset: number;
  readonly last: boolean;
  /** Absent for an empty file, which has none. */
  readonly extent?: ExtentRef;
}

interface Draft extends LiveVersion {
  readonly parts: Part[];
}

/** Puts versions of files together from the directories of stripes, which come in any order. */
export class VersionDrafts {
  readonly #drafts = new Map<VersionId, Draft>();

  get size(): number {
    return this.#drafts.size;
  }

  /**
   * @param entries of the directory of this stripe
   * @param readable whether enough chunks are left for what lies in the stripe; a directory alone may need fewer
   */
  add(stripe: StripeId, entries: readonly DirectoryExtent[], readable = true): void {
    for (const entry of entries) {
      const { key, offset, sealedBytes, bytes, fileOffset, last } = entry;
      const draft = this.#draftOf(entry);
      if (bytes > 0 && !readable) continue;
      // The same run of bytes may have been stored twice, when a put was repeated: either will do.
      if (draft.parts.some((part) => part.fileOffset === fileOffset)) continue;
      if (bytes === 0) draft.parts.push({ fileOffset, last });
      else draft.parts.push({ fileOffset, last, extent: { key, stripe, offset, sealedBytes, bytes } });
    }
  }

  #draftOf({ file, version, path, modifiedMs, createdMs = modifiedMs, mode }: DirectoryExtent): Draft {
    const known = this.#drafts.get(version);
    if (known !== undefined) return known;
    const draft = { file, version, path, modifiedMs, createdMs, mode, parts: [] };
    this.#drafts.set(version, draft);
    return draft;
  }

  /** Those that are whole, the oldest first: the order in which their put became visible, as far as clocks agree. */
  whole(): FoundVersion[] {
    const found: FoundVersion[] = [];
    for (const draft of this.#drafts.values()) {
      if (gapsOf(draft.parts).length === 0) found.push(finish(draft));
    }
    return found.sort(compareVersions);
  }

  broken(): BrokenVersion[] {
    const found: BrokenVersion[] = [];
    for (const { file, version, path, parts } of this.#drafts.values()) {
      const gaps = gapsOf(parts);
      if (gaps.length === 0) continue;
      found.push({ path, file, version, bytes: bytesOf(parts), missing: gaps.join(' and ') });
    }
    return found;
  }
}

/** Negative when `a` is the older; the ids decide where the times are the same, so that every run decides alike. */
export function compareVersions(a: FoundVersion, b: FoundVersion): number {
  const byTime = a.createdMs - b.createdMs || a.manifest.modifiedMs - b.manifest.modifiedMs;
  return byTime || (a.manifest.version < b.manifest.version ? -1 : 1);
}

function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { extent }) => sum + (extent?.bytes ?? 0), 0);
}

function finish({ file, version, path, modifiedMs, createdMs, mode, parts }: Draft): FoundVersion {
  const extents = parts.map(({ extent }) => extent).filter((extent) => extent !== undefined);
  const manifest = { file, version, bytes: bytesOf(parts), modifiedMs, mode, extents };
  return { path, manifest, createdMs };
}

/** Puts the parts in order. @returns what is missing between and behind them */
function gapsOf(parts: Part[]): string[] {
  parts.sort((a, b) => a.fileOffset - b.fileOffset);
  const gaps: string[] = [];
  let at = 0;
  for (const { fileOffset, extent } of parts) {
    if (fileOffset > at) gaps.push(`bytes ${String(at)}–${String(fileOffset - 1)}`);
    if (fileOffset < at) gaps.push(`agreement on bytes ${String(fileOffset)}–${String(at - 1)}`);
    at = fileOffset + (extent?.bytes ?? 0);
  }
  if (parts.at(-1)?.last !== true) gaps.push(`everything from byte ${String(at)} on`);
  return gaps;
}
