import { randomBytes } from 'node:crypto';
import { SHORT_ID_BYTES } from '../../chunk/ids.js';
import { ExtentList } from '../../gen/shoal/v1/format.js';
import type { ExtentRef } from '../catalog.js';
import { type ChangeText, decodeChange, encodeChanges } from './change.js';
import { documentId, hashOf, type SealedType } from './document-id.js';
import { writeExtents, type WrittenExtents } from './extents.js';
import type { ChangeOperation } from './operation.js';
import type { Document } from '../../documents/document-database.js';
import { encodeExtent } from './manifest.js';
import type { ChangeStamp } from './stamp.js';
import type { View } from './view.js';

/** A node that a commit of this batch makes, not yet in the view. */
export interface StagedNode {
  readonly id: string;
  readonly folder: boolean;
}

/** A commit as it is planned: nothing of it is in the batch yet. */
export interface PlannedCommit {
  readonly operations: readonly ChangeOperation[];
  /** Sealed extents that the operations refer to. */
  readonly extents: readonly Document[];
  /** What it makes, by `stagedKey`. */
  readonly nodes: ReadonlyMap<string, StagedNode>;
}

export function stagedKey(parent: string, name: string): string {
  return `${parent}/${name}`;
}

/** One peer's part of UserDocuments, as far as writing goes. */
export interface Sealing {
  readonly peer: ChangeStamp['peer'];
  readonly peerName: string;
  readonly seal: (type: SealedType, plain: Uint8Array, counter: number) => Document;
}

/** What one write to the database carries: the commits that were waiting for it, each whole. */
export class Batch {
  readonly #sealing: Sealing;
  readonly #documents: Document[] = [];
  readonly #changes: { readonly text: ChangeText; readonly stamp: ChangeStamp }[] = [];
  readonly #staged = new Map<string, StagedNode>();
  readonly #ids = new Set<string>();
  #counter: number;
  #previous: string | undefined;

  /** @param view what the batch comes behind */
  constructor(sealing: Sealing, view: View) {
    this.#sealing = sealing;
    this.#counter = view.counter;
    const head = view.arrivals.headOf(sealing.peer);
    this.#previous = head && documentId('change', head.document);
  }

  get documents(): readonly Document[] {
    return this.#documents;
  }

  /** For the view, once the documents are durable. */
  get changes(): readonly { readonly text: ChangeText; readonly stamp: ChangeStamp }[] {
    return this.#changes;
  }

  staged(key: string): StagedNode | undefined {
    return this.#staged.get(key);
  }

  /** Whether a commit of this batch makes a node with this id. */
  makes(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Takes all of a commit, or throws before any. */
  add({ operations, extents, nodes }: PlannedCommit): void {
    const { peer, peerName } = this.#sealing;
    const encodings = encodeChanges(operations, { commit: randomBytes(SHORT_ID_BYTES), peerName });
    this.#documents.push(...extents);
    for (const encode of encodings) {
      const plain = encode(this.#previous);
      const counter = ++this.#counter;
      const document = this.#sealing.seal('change', plain, counter);
      this.#documents.push(document);
      this.#previous = document._id;
      const stamp = { counter, peer, document: hashOf(document._id), peerName };
      this.#changes.push({ text: decodeChange(plain), stamp });
    }
    for (const [key, node] of nodes) {
      this.#staged.set(key, node);
      this.#ids.add(node.id);
    }
  }

  /** The extents of a large file as documents of their own. */
  sealExtents(extents: readonly ExtentRef[]): WrittenExtents {
    return writeExtents(extents.map(encodeExtent), (list) =>
      this.#sealing.seal('extents', ExtentList.encode(list).finish(), this.#counter + 1),
    );
  }
}
