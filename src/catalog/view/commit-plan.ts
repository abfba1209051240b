import { randomBytes } from 'node:crypto';
import { toHex } from '../../bytes.js';
import { idBytes, SHORT_ID_BYTES, type VersionId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { MAX_INLINE_EXTENTS, MAX_PATH_BYTES } from '../../limits.js';
import { type Batch, stagedKey, type StagedNode } from './batch.js';
import type { Manifest, NewVersion, Precondition } from '../catalog.js';
import { markName } from './conflict-name.js';
import type { Document } from '../../documents/document-database.js';
import { encodeExtent } from './manifest.js';
import type { ChangeOperation } from './operation.js';
import { formatPath, parsePath } from '../path.js';
import { newVersionId } from './restore-plan.js';
import { longestBelow } from './tree-plan.js';
import { ROOT_ID } from './tree.js';
import type { View } from './view.js';
import { isFolder, readVersion, type ViewNode, type ViewVersion } from './view-node.js';

export interface PlanContext {
  readonly view: View;
  readonly batch: Batch;
  readonly nowMs: number;
  /** The id of the `generation`-th folder of this name in this parent: the same on every peer of the user. */
  readonly folderId: (parent: string, name: string, generation: number) => string;
}

/** Turns new versions and folders into operations, against the view and what earlier commits of the batch will add. */
export class CommitPlan {
  readonly #context: PlanContext;
  readonly #operations: ChangeOperation[] = [];
  readonly #extents: Document[] = [];
  readonly #nodes = new Map<string, StagedNode>();
  readonly #ids = new Set<string>();
  /** Files that a version of so long ago (Unix time) was added to, at most. */
  readonly #behindLater = new Map<ViewNode, number>();

  constructor(context: PlanContext) {
    this.#context = context;
  }

  /** Hands the whole plan to the batch. */
  finish(): void {
    const { batch } = this.#context;
    for (const [node, createdMs] of this.#behindLater) this.#keepNewest(node, createdMs);
    if (this.#operations.length === 0) return;
    batch.add({ operations: this.#operations, extents: this.#extents, nodes: this.#nodes });
  }

  makeFolder(path: string): void {
    this.#folder(parsePath(path));
  }

  /**
   * Over a file it is its newest version, and the file keeps its id. With `onlyIf` or `behindLater`, nothing else may be
   * in the batch.
   *
   * @throws StorageError PRECONDITION_FAILED where `onlyIf` does not hold, CONFLICT over a folder
   */
  addVersion(version: NewVersion): void {
    const { path, manifest, onlyIf = [], createdMs = this.#context.nowMs, behindLater = false } = version;
    const names = parsePath(path);
    const name = names.at(-1);
    if (name === undefined) throw new StorageError('CONFLICT', 'The root "/" is a folder.');
    const parent = this.#folder(names.slice(0, -1));
    const found = this.#child(parent, name);
    if (found?.folder === true) {
      demand(path, onlyIf, 'folder');
      throw new StorageError('CONFLICT', `${path} is a folder. Choose another name or remove the folder first.`);
    }
    const file = found?.id ?? this.#newFile(parent, name, manifest.file);
    const node = this.#context.view.tree.node(file);
    // A commit that is sent again because its answer was lost.
    if (node?.versions.some(({ id }) => id === manifest.version) === true) return;
    demand(path, onlyIf, node?.versions[0]?.id ?? null);
    if (node?.dropped?.has(manifest.version) === true) {
      throw new StorageError('ALREADY_EXISTS', `This version of ${path} was stored before, and removed.`);
    }
    this.#operations.push(this.#version(file, manifest, createdMs));
    if (behindLater && node !== undefined) {
      this.#behindLater.set(node, Math.max(createdMs, this.#behindLater.get(node) ?? 0));
    }
  }

  /** Makes a former version the newest again, as a version of its own. */
  restoreVersion(node: ViewNode, version: ViewVersion, id: VersionId): void {
    if (node.versions[0] !== version) this.#addAgain(version, id, this.#context.nowMs);
  }

  /**
   * Puts what was removed back where it was, or beside what is there now.
   *
   * @returns the path that it has
   */
  takeBack(node: ViewNode, path: string): string {
    const names = parsePath(path);
    const wished = names.at(-1);
    if (wished === undefined) throw new StorageError('INVALID_ARGUMENT', 'The root "/" is never removed.');
    const parent = this.#folder(names.slice(0, -1));
    let name = wished;
    for (let number = 2; this.#child(parent, name) !== undefined; number++)
      name = markName(wished, ` (${String(number)})`);
    const folder = isFolder(node);
    const target = formatPath([...names.slice(0, -1), name]);
    if (Buffer.byteLength(target) + longestBelow(this.#context.view.tree, node) > MAX_PATH_BYTES) {
      throw new StorageError('INVALID_ARGUMENT', `Below ${target} some paths would be too long.`);
    }
    this.#set(node.id, { parent, name, folder });
    return target;
  }

  #keepNewest({ versions: [newest] }: ViewNode, createdMs: number): void {
    if (newest !== undefined && newest.createdMs > createdMs) this.#addAgain(newest, newVersionId(), newest.createdMs);
  }

  #addAgain(version: ViewVersion, id: VersionId, createdMs: number): void {
    const value = { ...readVersion(version), version: idBytes(id), createdMs };
    this.#operations.push({ $case: 'addVersion', value });
  }

  #version(file: string, manifest: Manifest, createdMs: number): ChangeOperation {
    const { version, bytes, modifiedMs, mode, extents } = manifest;
    const { batch } = this.#context;
    const large = extents.length > MAX_INLINE_EXTENTS;
    const written = large ? batch.sealExtents(extents) : { names: [], documents: [] };
    for (const document of written.documents) this.#extents.push(document);
    return {
      $case: 'addVersion',
      value: {
        file: idBytes(file),
        version: idBytes(version),
        bytes,
        modifiedMs,
        mode,
        extents: large ? [] : extents.map(encodeExtent),
        extentDocuments: [...written.names],
        createdMs,
      },
    };
  }

  /** The folder at this path, made with all that lead to it where missing. */
  #folder(names: readonly string[]): string {
    let folder = ROOT_ID;
    for (const [depth, name] of names.entries()) {
      const found = this.#child(folder, name);
      if (found?.folder === false) {
        const path = formatPath(names.slice(0, depth + 1));
        throw new StorageError('CONFLICT', `${path} is a file, so nothing can lie in it.`);
      }
      folder = found?.id ?? this.#newFolder(folder, name);
    }
    return folder;
  }

  #child(parent: string, name: string): StagedNode | undefined {
    const key = stagedKey(parent, name);
    const staged = this.#nodes.get(key) ?? this.#context.batch.staged(key);
    if (staged !== undefined) return staged;
    const { tree } = this.#context.view;
    const folder = tree.node(parent);
    const node = folder === undefined ? undefined : tree.child(folder, name);
    return node === undefined ? undefined : { id: node.id, folder: isFolder(node) };
  }

  #isFree(id: string): boolean {
    const { view, batch } = this.#context;
    if (this.#ids.has(id) || batch.makes(id)) return false;
    const node = view.tree.node(id);
    // What is to be removed for ever is hidden, and would be back.
    return node === undefined || (!node.shown && !view.tree.dooms.has(node));
  }

  /** Peers that make the same folder while apart derive the same id, so they make one folder. */
  #newFolder(parent: string, name: string): string {
    // An id that is taken belongs to a folder that had this name here once and was moved away.
    for (let generation = 0; ; generation++) {
      const id = this.#context.folderId(parent, name, generation);
      if (this.#isFree(id)) return this.#set(id, { parent, name, folder: true });
    }
  }

  /** @param wished the id that the put wrote under; in use when the file was moved meanwhile */
  #newFile(parent: string, name: string, wished: string): string {
    const id = this.#isFree(wished) ? wished : toHex(randomBytes(SHORT_ID_BYTES));
    return this.#set(id, { parent, name, folder: false });
  }

  #set(id: string, entry: { parent: string; name: string; folder: boolean }): string {
    const { parent, name, folder } = entry;
    const changedMs = this.#context.nowMs;
    const value = { node: idBytes(id), parent: idBytes(parent), name, folder, changedMs, trashedFrom: '', seen: [] };
    this.#operations.push({ $case: 'setEntry', value });
    this.#nodes.set(stagedKey(parent, name), { id, folder });
    this.#ids.add(id);
    return id;
  }
}

/** @param newest null: there is no file. A folder is neither a version nor none */
function demand(path: string, onlyIf: readonly Precondition[], newest: VersionId | 'folder' | null): void {
  if (onlyIf.every(({ among, versions }) => versions.some((version) => version === newest) === among)) return;
  throw new StorageError('PRECONDITION_FAILED', `${path} was changed meanwhile. Read it again first.`);
}
