import { toHex, u32, utf8 } from '../bytes.js';
import { createHash } from 'node:crypto';
import type { FileId, StripeId, UserId, VersionId } from '../chunk/ids.js';
import { idBytes, SHORT_ID_BYTES } from '../chunk/ids.js';
import { derive } from '../crypto/kdf.js';
import { wipeKeys } from './wipe-keys.js';
import { DERIVE } from '../crypto/labels.js';
import type { UserKeys } from '../crypto/root-key.js';
import { StorageError } from '../errors.js';
import type { AddVersion } from '../gen/shoal/v1/format.js';
import { MAX_COMMIT_VERSIONS } from '../limits.js';
import type { Logger } from '../log.js';
import type { Entry, Manifest, NewVersion, VersionSummary } from './catalog.js';
import { CommitPlan } from './commit-plan.js';
import { CommitQueue, type Turn } from './commit-queue.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import { demand, demandFile, entryOf, find, listEntries, summarize } from './lookup.js';
import { checkManifest, decodeExtent } from './manifest.js';
import { stripesOf } from './stripe-references.js';
import { planMove, planRemoval } from './tree-plan.js';
import { UserDocuments, type UserDocumentsOptions } from './user-documents.js';
import type { View } from './view.js';
import { isFolder, readVersion, type ViewNode, type ViewVersion } from './view-node.js';

export interface UserCatalogOptions extends UserDocumentsOptions {
  readonly database: DocumentDatabase;
  /** Unix time. */
  readonly now: () => number;
}

/** What a removal did: the stripes are those that no live version refers to any more. */
export interface Removed {
  readonly files: number;
  readonly freed: readonly StripeId[];
}

/** 128 bits of HKDF over the parent, a number and the name. */
function folderIdOf(keys: UserKeys): (parent: string, name: string, generation: number) => string {
  return (parent, name, generation) => {
    const context = createHash('sha256').update(idBytes(parent)).update(u32(generation)).update(utf8(name)).digest();
    return toHex(derive(keys.catalogKey, DERIVE.folder, { bytes: SHORT_ID_BYTES, context }));
  };
}

function lookUpVersion(node: ViewNode, path: string, wanted: VersionId | undefined): ViewVersion {
  const version = wanted === undefined ? node.versions[0] : node.versions.find(({ id }) => id === wanted);
  if (version === undefined) throw new StorageError('NOT_FOUND', `There is no such version of ${path}.`);
  return version;
}

/** One unlocked user's files. Its methods are those of Catalog. */
export class UserCatalog {
  readonly user: UserId;
  readonly #keys: UserKeys;
  readonly #database: DocumentDatabase;
  readonly #documents: UserDocuments;
  readonly #queue: CommitQueue;
  readonly #folderId: ReturnType<typeof folderIdOf>;
  readonly #now: () => number;
  readonly #logger: Logger;
  #closing: Promise<void> | undefined;

  private constructor(documents: UserDocuments, view: View, options: UserCatalogOptions) {
    this.user = options.user;
    this.#keys = options.keys;
    this.#database = options.database;
    this.#documents = documents;
    this.#folderId = folderIdOf(options.keys);
    this.#now = options.now;
    this.#logger = options.logger;
    this.#queue = new CommitQueue(view, {
      peer: options.peer,
      seal: (type, plain, counter) => documents.seal(type, plain, counter),
      write: (batch) => documents.write(batch),
      readView: () => documents.readView(),
    });
  }

  /** @param options the database and the keys are this object's from here on: it closes and wipes them */
  static async open(options: UserCatalogOptions): Promise<UserCatalog> {
    const documents = new UserDocuments(options.database, options);
    return new UserCatalog(documents, await documents.readView(), options);
  }

  get keys(): UserKeys {
    this.#view();
    return this.#keys;
  }

  stat(path: string): Entry {
    return entryOf(demand(this.#view().tree, path));
  }

  list(path: string, recursive: boolean): Entry[] {
    const { tree } = this.#view();
    return listEntries(tree, demand(tree, path), recursive);
  }

  versions(path: string): VersionSummary[] {
    return summarize(demandFile(this.#view().tree, path));
  }

  async manifest(path: string, version?: VersionId): Promise<Manifest> {
    const node = demandFile(this.#view().tree, path);
    return this.#manifestOf(node, lookUpVersion(node, path, version));
  }

  async manifests(paths: readonly string[]): Promise<(Manifest | undefined)[]> {
    const manifests: (Manifest | undefined)[] = [];
    for (const path of paths) {
      const node = find(this.#view().tree, path)?.node;
      const [newest] = node?.versions ?? [];
      manifests.push(node && newest ? await this.#manifestOf(node, newest) : undefined);
    }
    return manifests;
  }

  fileIds(paths: readonly string[]): (FileId | undefined)[] {
    const { tree } = this.#view();
    return paths.map((path) => {
      const node = find(tree, path)?.node;
      if (node === undefined) return undefined;
      if (isFolder(node)) throw new StorageError('CONFLICT', `${path} is a folder, not a file.`);
      return node.id as FileId;
    });
  }

  /** @param versions refer to stripes that the catalog knows */
  async commit(versions: readonly NewVersion[]): Promise<void> {
    if (versions.length > MAX_COMMIT_VERSIONS) {
      throw new StorageError('LIMIT_EXCEEDED', `One commit has at most ${String(MAX_COMMIT_VERSIONS)} versions.`);
    }
    for (const { manifest } of versions) checkManifest(manifest);
    await this.#add((plan) => {
      for (const version of versions) plan.addVersion(version);
    });
  }

  async makeFolder(path: string): Promise<void> {
    await this.#add((plan) => {
      plan.makeFolder(path);
    });
  }

  async move(from: string, to: string): Promise<void> {
    await this.#alone(({ view, batch }) => {
      const operations = planMove(view.tree, from, to, this.#now());
      if (operations.length > 0) batch.add({ operations, extents: [], nodes: new Map() });
    });
  }

  async remove(path: string, recursive: boolean): Promise<Removed> {
    const { files, touched, blind } = await this.#alone(async ({ view, batch }) => {
      const blind = await this.#countLarge(view);
      const { operations, files, versions } = planRemoval(view.tree, path, recursive);
      batch.add({ operations, extents: [], nodes: new Map() });
      return { files, blind, touched: new Set(versions.flatMap((version) => view.stripes(version))) };
    });
    const { view } = this.#queue;
    return { files, freed: blind ? [] : [...touched].filter((stripe) => !view.isReferenced(stripe)) };
  }

  /** Commits on their way to the disk end first. Wipes the keys and the view. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#queue.idle();
    this.#queue.view.wipe();
    wipeKeys(this.#keys);
    await this.#database.close();
  }

  #view(): View {
    if (this.#closing !== undefined) throw new StorageError('LOCKED', 'This user is locked. Unlock it first.');
    return this.#queue.view;
  }

  async #add(work: (plan: CommitPlan) => void): Promise<void> {
    this.#view();
    await this.#queue.run(
      ({ view, batch }) => {
        const plan = new CommitPlan({ view, batch, nowMs: this.#now(), folderId: this.#folderId });
        work(plan);
        plan.finish();
      },
      { alone: false },
    );
  }

  #alone<T>(plan: (turn: Turn) => T | Promise<T>): Promise<T> {
    this.#view();
    return this.#queue.run(plan, { alone: true });
  }

  async #manifestOf(node: ViewNode, version: ViewVersion): Promise<Manifest> {
    const { bytes, modifiedMs, mode } = version;
    const extents = (await this.#extents(readVersion(version))).map(decodeExtent);
    return { file: node.id as FileId, version: version.id, bytes, modifiedMs, mode, extents };
  }

  async #extents(version: AddVersion): Promise<AddVersion['extents']> {
    if (version.extentDocuments.length === 0) return version.extents;
    const extents = await this.#documents.readExtents(version.extentDocuments);
    if (extents.reduce((sum, extent) => sum + extent.bytes, 0) !== version.bytes) {
      throw new StorageError(
        'CORRUPT',
        'The manifest of this file is not whole. Restore its catalog from a backup host.',
      );
    }
    return extents;
  }

  /** Reads which stripes large versions lie in. @returns true when that is not known of all: then nothing may be freed */
  async #countLarge(view: View): Promise<boolean> {
    let blind = false;
    for (const version of view.uncounted) {
      try {
        view.count(version, stripesOf(await this.#extents(readVersion(version))));
      } catch (error) {
        if (!StorageError.is(error, 'UNAVAILABLE', 'CORRUPT', 'UNSUPPORTED')) throw error;
        this.#logger.warn({ version: version.id, code: error.code }, 'extents cannot be read: no space is given back');
        blind = true;
      }
    }
    return blind;
  }
}
