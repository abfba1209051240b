import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { RecordProblems } from '../../src/catalog/records/record-problems.js';
import { RecordSet } from '../../src/catalog/records/record-set.js';
import { toRecordDocument } from '../../src/catalog/records/record-kind.js';
import { userDocumentId } from '../../src/catalog/users/user-document.js';
import { userKind } from '../../src/catalog/users/user-kind.js';
import { type KnownUser, namesakes, type UserRecords } from '../../src/catalog/users/user-records.js';
import type { UserId } from '../../src/chunk/ids.js';
import { silentLogger } from '../../src/log.js';
import { RecordMemory } from '../../src/store/record-memory.js';
import { MemoryDocuments } from './memory-documents.js';

/** A peer's user documents, with what an attacker at a backup host can do to them. */
export class UserStore implements UserRecords {
  readonly database = new MemoryDocuments();
  readonly problems = new RecordProblems(silentLogger());
  readonly memory: RecordMemory;
  #records: RecordSet<KnownUser['user']>;

  private constructor(memory: RecordMemory) {
    this.memory = memory;
    this.#records = this.#open();
  }

  static async open(context: TestContext): Promise<UserStore> {
    const directory = await mkdtemp(join(tmpdir(), 'shoal-users-'));
    const memory = await RecordMemory.open(directory);
    context.after(async () => {
      await memory.close();
      await rm(directory, { recursive: true });
    });
    return new UserStore(memory);
  }

  /** As after a restart: nothing is known but what is on the disk. */
  restart(): void {
    this.#records = this.#open();
  }

  async users(): Promise<KnownUser[]> {
    return [...(await this.#records.all()).values()].flatMap(({ latest }) =>
      latest?.record === undefined ? [] : [{ user: latest.record, signed: latest.signed }],
    );
  }

  async usersNamed(name: string): Promise<KnownUser[]> {
    return namesakes(await this.users(), name);
  }

  async user(id: UserId): Promise<KnownUser | undefined> {
    const { latest } = await this.#records.get(userDocumentId(id));
    return latest?.record === undefined ? undefined : { user: latest.record, signed: latest.signed };
  }

  async setUser(id: UserId, signed: Uint8Array): Promise<void> {
    await this.#records.put(signed);
    await this.#records.get(userDocumentId(id));
    await this.database.compact();
  }

  async userTexts(id: UserId): Promise<readonly Uint8Array[]> {
    return this.#records.texts(userDocumentId(id));
  }

  /** Replicates a leaf that wins by CouchDB's rule. */
  async inject(id: UserId, signed: Uint8Array, generation = 1000): Promise<void> {
    const document = toRecordDocument(userKind.type, userDocumentId(id), signed);
    await this.database.addLeaf({ rev: `${String(generation)}-${'f'.repeat(32)}`, deleted: false, document });
  }

  #open(): RecordSet<KnownUser['user']> {
    return new RecordSet(userKind, {
      database: this.database,
      memory: this.memory,
      problems: this.problems,
      now: () => 1_700_000_000_000,
    });
  }
}
