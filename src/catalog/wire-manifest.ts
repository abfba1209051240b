import { idBytes, parseFileId, parseStripeId, parseVersionId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type { Extent } from '../gen/shoal/v1/format.js';
import type { ManifestHead, ManifestPart, VersionCondition, VersionPart } from '../gen/shoal/v1/db.js';
import { EXTENTS_PER_PART, MAX_COMMIT_VERSIONS, MAX_EXTENTS } from '../limits.js';
import type { ExtentRef, Manifest, NewVersion, Precondition } from './catalog.js';
import { ownBytes } from './wire-records.js';
import { encodeExtent } from './view/manifest.js';

const EXTENT_BYTES = 90;
const HEAD_BYTES = 80;
const CONDITION_BYTES = 16;
const ID_BYTES = 18;

const NOTHING_BESIDE = { path: '', createdMs: 0, onlyIf: [], behindLater: false };

type Part = Pick<ManifestPart, 'head' | 'extents'>;

function headOf(manifest: Manifest): ManifestHead {
  const { file, version, bytes, modifiedMs, mode } = manifest;
  return { file: idBytes(file), version: idBytes(version), bytes, modifiedMs, mode };
}

/** The first part has the head, also when there is no extent. */
function* split(manifest: Manifest): Generator<Part> {
  const { extents } = manifest;
  yield { head: headOf(manifest), extents: extents.slice(0, EXTENTS_PER_PART).map(encodeExtent) };
  for (let at = EXTENTS_PER_PART; at < extents.length; at += EXTENTS_PER_PART) {
    yield { head: undefined, extents: extents.slice(at, at + EXTENTS_PER_PART).map(encodeExtent) };
  }
}

export function* manifestParts(manifests: readonly (Manifest | undefined)[]): Generator<ManifestPart> {
  for (const [index, manifest] of manifests.entries()) {
    if (manifest === undefined) continue;
    for (const part of split(manifest)) yield { index, ...part };
  }
}

export function* versionParts(versions: readonly NewVersion[]): Generator<VersionPart> {
  for (const { path, manifest, createdMs = 0, onlyIf = [], behindLater = false } of versions) {
    const beside = { path, createdMs, onlyIf: onlyIf.map(encodePrecondition), behindLater };
    for (const part of split(manifest)) yield { ...(part.head === undefined ? NOTHING_BESIDE : beside), ...part };
  }
}

/** What is said of a new version beside its manifest. */
export function besideHead({ path, createdMs, onlyIf, behindLater }: VersionPart): Omit<NewVersion, 'manifest'> {
  return {
    path,
    ...(createdMs !== 0 && { createdMs }),
    ...(onlyIf.length > 0 && { onlyIf: onlyIf.map(decodePrecondition) }),
    ...(behindLater && { behindLater }),
  };
}

function encodePrecondition({ among, versions }: Precondition): VersionCondition {
  const named = versions.filter((version) => version !== null);
  return { among, nothing: named.length < versions.length, versions: named.map(idBytes) };
}

function decodePrecondition({ among, nothing, versions }: VersionCondition): Precondition {
  return { among, versions: [...versions.map(parseVersionId), ...(nothing ? [null] : [])] };
}

export function partBytes(part: Part & Partial<Pick<VersionPart, 'path' | 'onlyIf'>>): number {
  const { extents, path = '', onlyIf = [] } = part;
  const conditions = onlyIf.reduce((sum, { versions }) => sum + CONDITION_BYTES + versions.length * ID_BYTES, 0);
  // A character takes three bytes of UTF-8 at most.
  return HEAD_BYTES + extents.length * EXTENT_BYTES + path.length * 3 + conditions;
}

export function decodeExtent({ key, stripe, offset, sealedBytes, bytes }: Extent): ExtentRef {
  return { key: ownBytes(key), stripe: parseStripeId(stripe), offset, sealedBytes, bytes };
}

interface Growing {
  readonly head: ManifestHead;
  readonly extents: ExtentRef[];
}

function finish({ head, extents }: Growing): Manifest {
  const { bytes, modifiedMs, mode } = head;
  return { file: parseFileId(head.file), version: parseVersionId(head.version), bytes, modifiedMs, mode, extents };
}

/** Puts manifests together from parts that arrive in order. */
export class ManifestAssembly<Name> {
  readonly #growing: { readonly name: Name; readonly manifest: Growing }[] = [];

  /** @param name what the manifest belongs to; that of a part without a head is not looked at */
  add(name: Name, part: Part): void {
    if (part.head !== undefined) this.#growing.push({ name, manifest: { head: part.head, extents: [] } });
    const last = this.#growing.at(-1);
    if (last === undefined) throw new StorageError('INVALID_ARGUMENT', 'A manifest begins without its head.');
    for (const extent of part.extents) last.manifest.extents.push(decodeExtent(extent));
    if (this.#growing.length > MAX_COMMIT_VERSIONS || last.manifest.extents.length > MAX_EXTENTS) {
      throw new StorageError('LIMIT_EXCEEDED', 'That is more than one call of the catalog carries.');
    }
  }

  finish(): { readonly name: Name; readonly manifest: Manifest }[] {
    return this.#growing.map(({ name, manifest }) => ({ name, manifest: finish(manifest) }));
  }
}
