import { toHex } from '../../bytes.js';
import type { PeerId, StripeId, VersionId } from '../../chunk/ids.js';
import { assert } from '../../errors.js';
import type { AddVersion, MoveVersion, RemoveEntry } from '../../gen/shoal/v1/format.js';
import { Arrivals } from './arrivals.js';
import { type ChangeText, decodeChange } from './change.js';
import { shortHash } from './document-id.js';
import { decodeDoom } from './dooms.js';
import { decodeKnowledge } from './knowledge.js';
import { type ChangeOperation, decodeOperation, type PlacedOperation, versionIn } from './operation.js';
import type { StateText } from './state.js';
import { compareStamps, type ChangeStamp, type Stamp } from './stamp.js';
import { StripeReferences, stripesOf } from './stripe-references.js';
import { Tree } from './tree.js';
import { compareMoves, type VersionMove } from './version-move.js';
import { VersionTexts } from './version-texts.js';
import { readVersion, type ViewNode, type ViewVersion } from './view-node.js';

/** A part of a commit that waits for the others. Encoded: what it decodes to is several times as large. */
interface Arrived {
  readonly plain: Uint8Array;
  readonly stamp: ChangeStamp;
}

/** What an operation says of a version. */
interface Announced {
  readonly added: AddVersion;
  readonly moved: VersionMove | undefined;
}

function movedVersion({ version, counter, peer }: MoveVersion): Announced & { readonly moved: VersionMove } {
  assert(version !== undefined, 'it was checked when it was read');
  return { added: version, moved: { counter, peer: toHex(peer) as PeerId } };
}

/** Of two moves of one peer and one counter, which no sound disk brings about: some order that is the same everywhere. */
function compareTexts(text: Uint8Array, { page, start, end }: ViewVersion): number {
  return Buffer.compare(text, page.subarray(start, end));
}

/** A version of no bytes that lies somewhere all the same: it keeps the stripe. */
function isKeeper({ bytes }: ViewVersion, extents: readonly unknown[]): boolean {
  return bytes === 0 && extents.length > 0;
}

/** Id of the node that an operation is about. */
function nodeIn(operation: ChangeOperation): string {
  const version = versionIn(operation);
  if (version !== undefined) return toHex(version.file);
  return 'node' in operation.value ? toHex(operation.value.node) : '';
}

function insert(versions: readonly ViewVersion[], version: ViewVersion): readonly ViewVersion[] {
  // Most files have one, and an array that is spread has room for many more.
  if (versions.length === 0) return [version];
  const newer = versions.findIndex((other) => compareStamps(other, version) < 0);
  if (newer < 0) return [...versions, version];
  return [...versions.slice(0, newer), version, ...versions.slice(newer)];
}

/**
 * What a user's changes amount to, decrypted and in memory. Changes and states may be applied in any order, and again; a
 * commit of several documents takes effect, whole, when the last of them has come. What it keeps of a text it copies.
 */
export class View {
  readonly tree = new Tree();
  readonly arrivals = new Arrivals();
  readonly #references = new StripeReferences();
  readonly #texts = new VersionTexts();
  /** Versions whose extents lie in documents of their own: their stripes once these were read, undefined before. */
  readonly #large = new Map<ViewVersion, readonly StripeId[] | undefined>();
  readonly #incomplete = new Map<string, Map<number, Arrived>>();
  /** Versions that were removed, or lay elsewhere, before it was heard where they were first. */
  #unseen = 0;

  /** The highest Lamport counter seen. */
  get counter(): number {
    return this.arrivals.counter;
  }

  /** Something was said of what is in the trash, or is to be removed for ever, since somebody has looked. */
  isDisturbed = false;

  /** Commits of which some documents have not come. */
  get incompleteCommits(): readonly string[] {
    return [...this.#incomplete.keys()];
  }

  /** Nothing is known to be missing. What nobody else speaks of can still be. */
  get isComplete(): boolean {
    const { missing, forgotten, incompleteBases } = this.arrivals;
    return this.#incomplete.size + missing.length + forgotten.length + incompleteBases.length === 0;
  }

  /** Short hashes of the documents of which everything is in this view. */
  get covered(): string[] {
    const waiting = new Set<string>();
    for (const parts of this.#incomplete.values()) {
      for (const { stamp } of parts.values()) waiting.add(shortHash(stamp.document));
    }
    return [...this.arrivals.seen].filter((hash) => !waiting.has(hash));
  }

  /** A change that has come before, or that a dump stood for, does nothing. */
  apply(text: ChangeText, stamp: ChangeStamp): void {
    if (this.arrivals.has(stamp.document)) return;
    this.arrivals.noteChange(stamp, text.previous);
    const { piece } = text;
    if (piece === undefined) {
      this.#applyAll(text, stamp);
      return;
    }
    const arrived = this.#incomplete.get(piece.commit) ?? new Map<number, Arrived>();
    arrived.set(piece.part, { plain: Uint8Array.from(text.plain), stamp });
    this.#incomplete.set(piece.commit, arrived);
    if (arrived.size < piece.parts) return;
    this.#incomplete.delete(piece.commit);
    for (const part of arrived.values()) {
      this.#applyAll(decodeChange(part.plain), part.stamp);
      part.plain.fill(0);
    }
  }

  /** @param hash of the state's document, which has not come before */
  applyState(text: StateText, hash: string): void {
    this.arrivals.note(hash);
    if (text.origin !== undefined) this.arrivals.note(text.origin);
    for (const { placed, stamp } of text.operations) {
      this.arrivals.noteStamp(stamp.change);
      this.#applyOne(placed, stamp, text.plain);
    }
    if (text.dump === undefined) return;
    const covered = this.arrivals.noteDump(text.dump, hash);
    if (covered !== undefined) this.#dropCovered(covered);
  }

  /** Versions that `references` cannot see into until `count` is told their stripes. */
  get uncounted(): readonly ViewVersion[] {
    return [...this.#large].filter(([, stripes]) => stripes === undefined).map(([version]) => version);
  }

  count(version: ViewVersion, stripes: readonly StripeId[]): void {
    if (!this.#large.has(version) || this.#large.get(version) !== undefined) return;
    this.#large.set(version, stripes);
    this.#references.add(stripes);
  }

  /** The stripes of a version; none for a large one that was not counted. */
  stripes(version: ViewVersion): readonly StripeId[] {
    if (this.#large.has(version)) return this.#large.get(version) ?? [];
    return stripesOf(readVersion(version).extents);
  }

  /** By a version, or by the keeper of a place. */
  isReferenced(stripe: StripeId): boolean {
    return this.isNeeded(stripe) || this.#references.isKept(stripe);
  }

  /** By a version. */
  isNeeded(stripe: StripeId): boolean {
    return this.#references.count(stripe) > 0;
  }

  /**
   * Grows whenever something begins or ceases to lie in a stripe that has a keeper, or may have lain there, and left, before it was
   * heard of here.
   */
  touches(stripe: StripeId): number {
    return this.#references.touches(stripe) + this.#unseen;
  }

  /** Every version that was ever announced, the removed ones too. */
  knownVersions(): Set<VersionId> {
    const known = new Set<VersionId>();
    for (const { versions, dropped } of this.tree.nodes()) {
      for (const { id } of versions) known.add(id);
      for (const id of dropped ?? []) known.add(id);
    }
    return known;
  }

  /** Overwrites what holds the keys of files. The view is useless afterwards. */
  wipe(): void {
    this.#texts.wipe();
    for (const parts of this.#incomplete.values()) for (const { plain } of parts.values()) plain.fill(0);
  }

  /** Commits that are not whole here, but were where a dump was written. */
  #dropCovered(covered: ReadonlySet<string>): void {
    for (const [commit, parts] of this.#incomplete) {
      if ([...parts.values()].every(({ stamp }) => covered.has(shortHash(stamp.document)))) {
        this.#incomplete.delete(commit);
      }
    }
  }

  #applyAll(text: ChangeText, stamp: ChangeStamp): void {
    for (const [index, operation] of text.operations.entries()) {
      this.#applyOne(operation, { change: stamp, index }, text.plain);
    }
  }

  #applyOne(placed: PlacedOperation, stamp: Stamp, plain: Uint8Array): void {
    const operation = decodeOperation(plain, placed);
    switch (operation.$case) {
      case 'setEntry': {
        const { node, parent, name, folder, changedMs, trashedFrom, seen } = operation.value;
        const from = trashedFrom === '' ? undefined : trashedFrom;
        const place = { parent: toHex(parent), name, folder, changedMs, trashedFrom: from };
        this.tree.place(toHex(node), stamp, seen.length === 0 ? place : { ...place, seen: decodeKnowledge(seen) });
        break;
      }
      case 'addVersion':
        this.#addVersion({ added: operation.value, moved: undefined }, stamp, plain.subarray(placed.start, placed.end));
        break;
      case 'moveVersion': {
        const announced = movedVersion(operation.value);
        this.arrivals.noteMove(announced.moved);
        this.#addVersion(announced, stamp, plain.subarray(placed.start, placed.end));
        break;
      }
      case 'removeEntry':
        this.#remove(operation.value, stamp);
    }
    this.#watch(operation);
  }

  #watch(operation: ChangeOperation): void {
    if (this.isDisturbed) return;
    const node = this.tree.node(nodeIn(operation));
    this.isDisturbed = node !== undefined && this.tree.isBuried(node);
  }

  /**
   * One version may be announced twice, by a writer that was not told of its success, and be moved: its place among the
   * others is that of the first announcement, and what it says that of the last move, or of the first announcement.
   */
  #addVersion({ added, moved }: Announced, stamp: Stamp, text: Uint8Array): void {
    const node = this.tree.ensure(toHex(added.file));
    if (this.tree.isReserved(node)) return;
    const id = toHex(added.version) as VersionId;
    if (node.dropped?.has(id) === true) {
      this.#unseen++;
      return;
    }
    const twin = node.versions.find((version) => version.id === id);
    const older = twin === undefined ? -1 : compareStamps(stamp, twin);
    const later =
      twin === undefined ? 1 : compareMoves(moved, twin.moved) || (moved ? compareTexts(text, twin) : -older);
    if (older >= 0 && later <= 0) {
      if (older > 0) this.#unseen++;
      return;
    }
    const { change, index } = older < 0 || twin === undefined ? stamp : twin;
    if (later > 0 || twin === undefined) {
      const { bytes, modifiedMs, createdMs, mode } = added;
      const says = { id, bytes, modifiedMs, createdMs, mode, moved, ...this.#texts.keep(text) };
      this.#replace(node, twin, { ...says, change, index });
    } else {
      this.#unseen++;
      this.#replace(node, twin, { ...twin, change, index });
    }
    this.tree.settle(node);
  }

  #replace(node: ViewNode, twin: ViewVersion | undefined, version: ViewVersion): void {
    if (twin !== undefined) this.#forget(node, twin);
    node.versions = insert(node.versions, version);
    const { extents, extentDocuments } = readVersion(version);
    if (extentDocuments.length > 0) this.#large.set(version, undefined);
    else if (isKeeper(version, extents)) this.#references.keep(stripesOf(extents));
    else this.#references.add(stripesOf(extents));
  }

  #remove(removal: RemoveEntry, stamp: Stamp): void {
    const node = this.tree.ensure(toHex(removal.node));
    if (this.tree.isReserved(node)) {
      if (removal.doom === undefined) this.tree.dooms.answer({ stamp, seen: decodeKnowledge(removal.seen) });
      return;
    }
    if (removal.doom !== undefined) {
      this.tree.dooms.add(node, decodeDoom(removal.doom, stamp));
      this.tree.settle(node);
      return;
    }
    if (node.removed === undefined || compareStamps(stamp, node.removed) > 0) node.removed = stamp;
    for (const bytes of removal.versions) {
      const id = toHex(bytes) as VersionId;
      const version = node.versions.find((other) => other.id === id);
      if (version !== undefined) this.#forget(node, version);
      else if (node.dropped?.has(id) !== true) this.#unseen++;
      (node.dropped ??= new Set()).add(id);
    }
    this.tree.settle(node);
  }

  #forget(node: ViewNode, version: ViewVersion): void {
    const stripes = this.stripes(version);
    // Nobody knows what it has left.
    if (this.#large.has(version) && this.#large.get(version) === undefined) this.#unseen++;
    if (isKeeper(version, stripes)) this.#references.release(stripes);
    else this.#references.drop(stripes);
    this.#large.delete(version);
    node.versions = node.versions.filter((other) => other !== version);
  }
}
