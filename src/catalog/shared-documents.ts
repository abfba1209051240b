import type { UserId } from '../chunk/ids.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import type { Logger } from '../log.js';
import { RecordMemory } from '../store/record-memory.js';
import type { Membership } from './records/membership.js';
import { NetworkDocuments } from './records/network-documents.js';
import { RecordProblems } from './records/record-problems.js';
import { StripeDocuments } from './records/stripe-documents.js';
import type { PeersById } from './records/stripe-record.js';

export interface SharedDocumentsOptions {
  /** Opens one of the peer's document databases. */
  readonly openDatabase: (name: string) => Promise<DocumentDatabase>;
  /** Folder of what this peer remembers by itself; it must not go back to an older state together with the databases. */
  readonly state: string;
  readonly membership: Membership;
  readonly logger: Logger;
  /** Unix time. */
  readonly now: () => number;
  /** Users that are unlocked here. */
  readonly isOwn: (owner: UserId) => boolean;
}

/** The databases that users share, `network` and `stripes`, and what of them was not believed. */
export class SharedDocuments implements AsyncDisposable {
  readonly network: NetworkDocuments;
  readonly stripes: StripeDocuments;
  readonly problems: RecordProblems;
  readonly memory: RecordMemory;

  private constructor(parts: Pick<SharedDocuments, 'network' | 'stripes' | 'problems'>, memory: RecordMemory) {
    this.network = parts.network;
    this.stripes = parts.stripes;
    this.problems = parts.problems;
    this.memory = memory;
  }

  /** @throws StorageError CONFLICT when another process has them open, CORRUPT when one is damaged */
  static async open(options: SharedDocumentsOptions): Promise<SharedDocuments> {
    const { openDatabase, state, membership, logger, now, isOwn } = options;
    const opened: AsyncDisposable[] = [];
    try {
      const memory = await RecordMemory.open(state);
      opened.push(memory);
      const problems = new RecordProblems(logger);
      const database = await openDatabase('network');
      opened.push(database);
      const network = new NetworkDocuments({ database, membership, memory, problems, now });
      const peers = async (): Promise<PeersById> => new Map((await network.peers()).map((peer) => [peer.id, peer]));
      const stored = await openDatabase('stripes');
      opened.push(stored);
      const stripes = await StripeDocuments.open({ database: stored, problems, logger, peers, isOwn });
      return new SharedDocuments({ network, stripes, problems }, memory);
    } catch (error) {
      for (const part of opened.reverse()) await part[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.network.close();
    await this.stripes.close();
    await this.memory.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
