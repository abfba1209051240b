import type { FileId, PeerId, StripeId, UserId, VersionId } from '../../chunk/ids.js';
import { wipeKeys } from '../users/wipe-keys.js';
import type { UserKeys } from '../../crypto/root-key.js';
import { StorageError } from '../../errors.js';
import type { AddVersion } from '../../gen/shoal/v1/format.js';
import { MAX_COMMIT_VERSIONS, MAX_PEER_NAME_BYTES, TRASHED_PER_COMMIT } from '../../limits.js';
import type {
  Attributes,
  CatalogHead,
  DeletedEntry,
  Entry,
  Manifest,
  MoveOptions,
  NewVersion,
  VersionSummary,
} from '../catalog.js';
import { CommitPlan } from './commit-plan.js';
import { cut } from './conflict-name.js';
import { CommitQueue, type Turn } from './commit-queue.js';
import { ExtentMoves } from './extent-moves.js';
import { folderIdOf } from './folder-id.js';
import type { DocumentDatabase } from '../../documents/document-database.js';
import { demand, demandFile, entryOf, find, listEntries, summarize } from './lookup.js';
import type { HeadKeeper } from './head-keeper.js';
import { knowledgeOf } from './knowledge.js';
import { checkManifest } from './manifest.js';
import { ManifestReader } from './manifest-reader.js';
import { Upkeep } from './upkeep.js';
import { planAttributes, planReplacement, replacement } from './file-plan.js';
import { demandRemovable, planMove, planTrash } from './tree-plan.js';
import { contentsOf, trashedIn, typeOf, untouchedSince } from './trash.js';
import { bringOver, type BroughtOver, ExtentsReseal } from './reseal.js';
import { lookUpVersion, newVersionId, planRestore } from './restore-plan.js';
import { type DueNodes, removableEver, Removals } from './removals.js';
import { type StateProgress, writeState } from './state-writer.js';
import { UserDocuments, type UserDocumentsOptions } from './user-documents.js';
import type { View } from './view.js';
import { isFolder, type ViewNode } from './view-node.js';

export interface UserCatalogOptions extends UserDocumentsOptions {
  readonly database: DocumentDatabase;
  /** Unix time. */
  readonly now: () => number;
  /** Where the user is at home. */
  readonly homes: () => Promise<readonly PeerId[]>;
  readonly heads: HeadKeeper;
}

export interface RemoveOptions {
  readonly recursive: boolean;
  /** Not into the trash; also what is in the trash. */
  readonly forever: boolean;
}

/** What is in the database, and what was there once. */
async function readView(documents: UserDocuments, heads: HeadKeeper): Promise<View> {
  const view = await documents.readView();
  // Somebody may have put a tombstone over it: its text is often still there.
  if (heads.compare(view)) await documents.catchUp(view);
  return view;
}

/** What a peer can say of a user's catalog. */
export interface CatalogStatus {
  /** Nothing is known to be missing. */
  readonly isComplete: boolean;
  /** The Lamport clock: never less than it was, unless an old state of the database was played back. */
  readonly counter: number;
  /** Documents that were not believed. */
  readonly refused: number;
  /** A newer version of Shoal has written here. */
  readonly readOnly: boolean;
}

export interface ExportStateOptions {
  readonly signal: AbortSignal;
  /** Awaited after each write, which is how the job is throttled. */
  readonly onProgress?: (progress: StateProgress) => void | Promise<void>;
}

/** One unlocked user's files. Its methods are those of Catalog. */
export class UserCatalog {
  readonly user: UserId;
  readonly moves: ExtentMoves;
  readonly #keys: UserKeys;
  readonly #database: DocumentDatabase;
  readonly #documents: UserDocuments;
  readonly #queue: CommitQueue;
  readonly #folderId: ReturnType<typeof folderIdOf>;
  readonly #now: () => number;
  readonly #manifests: ManifestReader;
  readonly #upkeep: Upkeep;
  readonly #removals: Removals;
  readonly #heads: HeadKeeper;
  #isSettled = false;
  #closing: Promise<void> | undefined;

  private constructor(documents: UserDocuments, view: View, options: UserCatalogOptions) {
    this.user = options.user;
    this.#keys = options.keys;
    this.#database = options.database;
    this.#documents = documents;
    this.#folderId = folderIdOf(options.keys);
    this.#now = options.now;
    this.#queue = new CommitQueue(view, {
      peer: options.peer,
      peerName: cut(options.peerName, MAX_PEER_NAME_BYTES),
      seal: (type, plain, counter) => documents.seal(type, plain, counter),
      write: (batch) => documents.write(batch),
      readView: () => readView(documents, options.heads),
      onChange: () => {
        this.#upkeep.notify();
      },
    });
    const { database, logger } = options;
    this.#manifests = new ManifestReader(documents, logger);
    const { peer, homes, now, heads } = options;
    this.#heads = heads;
    const parts = { queue: this.#queue, manifests: this.#manifests, folderId: this.#folderId };
    this.#removals = new Removals({ ...parts, peer, homes, now, logger });
    const demandWritable = (): void => {
      this.#demandWritable();
    };
    this.moves = new ExtentMoves({ ...parts, peer, now, demandWritable });
    this.#upkeep = new Upkeep({ database, documents, queue: this.#queue, logger, tend: () => this.#tend() });
  }

  /** @param options the database and the keys are this object's from here on: it closes and wipes them */
  static async open(options: UserCatalogOptions): Promise<UserCatalog> {
    const documents = new UserDocuments(options.database, options);
    // Before reading: what comes while it is read is in the feed.
    const since = await options.database.sequence();
    const catalog = new UserCatalog(documents, await readView(documents, options.heads), options);
    catalog.onChange(() => {
      options.heads.keep(catalog.#queue.view);
    });
    options.heads.keep(catalog.#queue.view);
    catalog.#upkeep.follow(since);
    catalog.#upkeep.sumUp();
    return catalog;
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
    return this.#manifests.manifestOf(node, lookUpVersion(node, path, version));
  }

  async manifests(paths: readonly string[]): Promise<(Manifest | undefined)[]> {
    const manifests: (Manifest | undefined)[] = [];
    for (const path of paths) {
      const node = find(this.#view().tree, path)?.node;
      const [newest] = node?.versions ?? [];
      manifests.push(node && newest ? await this.#manifests.manifestOf(node, newest) : undefined);
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

  knownVersions(versions: readonly VersionId[]): Set<VersionId> {
    const known = this.#view().knownVersions();
    return new Set(versions.filter((version) => known.has(version)));
  }

  /** @param versions refer to stripes that the catalog knows */
  async commit(versions: readonly NewVersion[]): Promise<void> {
    if (versions.length > MAX_COMMIT_VERSIONS) {
      throw new StorageError('LIMIT_EXCEEDED', `One commit has at most ${String(MAX_COMMIT_VERSIONS)} versions.`);
    }
    for (const { manifest } of versions) checkManifest(manifest);
    const alone = versions.some(({ onlyIf, behindLater }) => onlyIf !== undefined || behindLater === true);
    await this.#add((plan) => {
      for (const version of versions) plan.addVersion(version);
    }, alone);
  }

  async makeFolder(path: string): Promise<void> {
    await this.#add((plan) => {
      plan.makeFolder(path);
    });
  }

  async move(from: string, to: string, { replace = false }: MoveOptions = {}): Promise<void> {
    await this.#alone(({ view, batch }) => {
      const replaced = replace ? replacement(view.tree, from, to) : undefined;
      const operations =
        replaced === undefined ? planMove(view.tree, from, to, this.#now()) : planReplacement(replaced, newVersionId);
      if (operations.length > 0) batch.add({ operations, extents: [], nodes: new Map() });
    });
  }

  /** @returns the entry as it is then */
  async setAttributes(path: string, attributes: Attributes): Promise<Entry> {
    await this.#alone(({ view, batch }) => {
      const operations = planAttributes(demand(view.tree, path).node, attributes, newVersionId());
      if (operations.length > 0) batch.add({ operations, extents: [], nodes: new Map() });
    });
    return this.stat(path);
  }

  /** @returns how many files; what is removed for ever is first announced */
  async remove(path: string, { recursive, forever }: RemoveOptions): Promise<number> {
    if (forever) {
      return this.#announce(({ tree }) => [removableEver(tree, path, recursive)]);
    }
    return this.#alone(({ view, batch }) => {
      const found = demandRemovable(view.tree, path, recursive);
      // What is missing may be before something that has come: nobody can say then what was known.
      const seen = knowledgeOf(view.isComplete ? view.arrivals.known : []);
      const trashing = planTrash(found, this.#now(), seen);
      batch.add({ operations: [trashing], extents: [], nodes: new Map() });
      return contentsOf(view.tree, found.node).files;
    });
  }

  /** Those of `stripes` that no version refers to. @throws StorageError UNAVAILABLE where that cannot be told */
  unreferenced(stripes: readonly StripeId[]): Promise<readonly StripeId[]> {
    return this.#alone(async ({ view }) => {
      const unread = await this.#manifests.countLarge(view);
      // A catalog that was lost has nothing in it, and what it referred to may be recovered from those very stripes.
      if (unread || !view.isComplete || view.arrivals.isAheadOfMoves || view.counter === 0) {
        throw new StorageError(
          'UNAVAILABLE',
          'A part of the catalog is missing, so what it refers to is not known yet.',
        );
      }
      return stripes.filter((stripe) => !view.isReferenced(stripe));
    });
  }

  /** How far it is here. Commits on their way to the disk count. */
  heads(): Promise<CatalogHead[]> {
    return this.#queue.run(
      async ({ view: { arrivals, isComplete } }) => {
        const known = knowledgeOf(isComplete ? arrivals.known : []);
        return arrivals.heads.map(({ peer, counter }) => ({ peer, written: counter, come: known.get(peer) ?? 0 }));
      },
      { alone: true },
    );
  }

  /** What was removed and can be taken back, by path. */
  deleted(): DeletedEntry[] {
    const { tree } = this.#view();
    return trashedIn(tree).map(({ node, path }) => {
      const { files, bytes } = contentsOf(tree, node);
      return { path, type: typeOf(node), files, bytes, deletedMs: node.changedMs };
    });
  }

  /**
   * Takes back what was removed at this path last; with a version, makes that the newest of the file that is there.
   *
   * @returns the entry where it is now: under another name when there is something at its path
   */
  async restore(path: string, version?: VersionId): Promise<Entry> {
    const target = await this.#alone(({ view, batch }) => {
      const plan = new CommitPlan({ view, batch, nowMs: this.#now(), folderId: this.#folderId });
      const restored = planRestore(view, plan, path, version);
      plan.finish();
      return restored;
    });
    return this.stat(target);
  }

  /** Empties the trash of what nobody has touched since. @param untilMs Unix time @returns how many files */
  async emptyTrash(untilMs: number): Promise<number> {
    let files = 0;
    for (let picked = TRASHED_PER_COMMIT; picked === TRASHED_PER_COMMIT;) {
      files += await this.#announce(({ tree }) => {
        const nodes = untouchedSince(tree, untilMs).slice(0, TRASHED_PER_COMMIT);
        picked = nodes.length;
        return nodes;
      });
    }
    return files;
  }

  /** Announced removals that can be carried out by this peer. */
  async dueRemovals(): Promise<DueNodes> {
    this.#demandWritable();
    return this.#removals.due(this.#isSettled);
  }

  /** @param nodes of due removals @returns the stripes that no version refers to any more */
  async carryOutRemovals(nodes: readonly string[]): Promise<readonly StripeId[]> {
    this.#demandWritable();
    return this.#removals.carryOut(nodes);
  }

  /** @param untilMs Unix time @returns how many places of moves nothing needs, and are not given back yet */
  async giveUpMoved(untilMs: number): Promise<number> {
    this.#demandWritable();
    return this.#removals.giveUpMoved(untilMs);
  }

  /** All that this peer wrote into former generations is in this one: from now on it answers for what it wrote. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#heads.report(this.#queue.view);
    this.#upkeep.tend();
  }

  /** Calls back whenever the catalog has changed, here or elsewhere. @returns what ends that */
  onChange(listener: () => void): () => void {
    return this.#upkeep.listen(listener);
  }

  get status(): CatalogStatus {
    const { isComplete, counter } = this.#view();
    return { isComplete, counter, refused: this.#documents.refused, readOnly: this.#documents.isNewer };
  }

  /**
   * Writes all that is known here into the database of the next generation, under its keys. Can be stopped and called again.
   * What is committed meanwhile may be missing there: `bringOver` does the rest.
   *
   * @throws StorageError UNAVAILABLE when extents of a large file have not come yet, UNSUPPORTED when a newer version wrote here
   */
  async exportState(target: UserDocuments, options: ExportStateOptions): Promise<void> {
    this.#demandWritable();
    const extents = new ExtentsReseal(this.#documents, target);
    const signal = AbortSignal.any([options.signal, this.#upkeep.signal]);
    const { onProgress } = options;
    const mapVersion = (version: AddVersion): Promise<AddVersion> => extents.version(version);
    await this.#upkeep.run(
      writeState(this.#view(), target, { base: true, signal, mapVersion, ...(onProgress && { onProgress }) }),
    );
  }

  /** Brings over what the former generation has and this one has not; @param ids look at these alone */
  async bringOver(source: UserDocuments, options: ExportStateOptions, ids?: Iterable<string>): Promise<BroughtOver> {
    this.#demandWritable();
    const isKnown = (hash: string): boolean => this.#view().arrivals.has(hash);
    const signal = AbortSignal.any([options.signal, this.#upkeep.signal]);
    const { onProgress } = options;
    const brought = await this.#upkeep.run(
      bringOver(source, this.#documents, { isKnown, signal, ...(onProgress && { onProgress }), ...(ids && { ids }) }),
    );
    if (brought.documents > 0) await this.#upkeep.catchUp();
    return brought;
  }

  /** What this peer has seen before and does not have any more is not waited for. */
  async acceptLoss(): Promise<void> {
    await this.#heads.giveUp(this.#view());
  }

  /** Commits on their way to the disk end first. Wipes the keys and the view. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#upkeep.close();
    await this.#queue.idle();
    await this.#heads.idle();
    this.#queue.view.wipe();
    wipeKeys(this.#keys);
    await this.#database.close();
  }

  #view(): View {
    if (this.#closing !== undefined) throw new StorageError('LOCKED', 'This user is locked. Unlock it first.');
    return this.#queue.view;
  }

  async #add(work: (plan: CommitPlan) => void, alone = false): Promise<void> {
    this.#demandWritable();
    await this.#queue.run(
      ({ view, batch }) => {
        const plan = new CommitPlan({ view, batch, nowMs: this.#now(), folderId: this.#folderId });
        work(plan);
        plan.finish();
      },
      { alone },
    );
  }

  async #announce(pick: (view: View) => readonly ViewNode[]): Promise<number> {
    return this.#alone((turn) => {
      const { view } = turn;
      const nodes = pick(view);
      if (nodes.length > 0) this.#removals.announce(turn, nodes);
      return nodes.reduce((sum, node) => sum + contentsOf(view.tree, node).files, 0);
    });
  }

  async #tend(): Promise<void> {
    if (this.#isSettled && !this.#documents.isNewer) await this.#removals.tend();
  }

  async #alone<T>(plan: (turn: Turn) => T | Promise<T>): Promise<T> {
    this.#demandWritable();
    return this.#queue.run(plan, { alone: true });
  }

  /** What a newer version has written is not understood in full: writing over it could undo what it meant. */
  #demandWritable(): void {
    this.#view();
    if (!this.#documents.isNewer) return;
    throw new StorageError(
      'UNSUPPORTED',
      'The catalog was written to by a newer version of Shoal, so this one only reads it. Upgrade Shoal on this machine.',
    );
  }
}
