import assert from 'node:assert/strict';
import type { PeerId } from '../../src/chunk/ids.js';
import type { Document } from '../../src/documents/document-database.js';
import { writeState } from '../../src/catalog/view/state-writer.js';
import type { UserCatalog } from '../../src/catalog/view/user-catalog.js';
import { UserDocuments } from '../../src/catalog/view/user-documents.js';
import { silentLogger } from '../../src/log.js';
import { openUserCatalog, samplePeer, type SampleUser } from './catalog-users.js';
import { MemoryDocuments } from './memory-documents.js';

/** Turns of the event loop after which everything that came has been taken in and answered. */
const TURNS = 60;

/** One user at home at several peers, which hear of each other only when they meet. */
export class HomesApart {
  nowMs = 1_700_000_000_000;
  /** Homes of which one, by its number, has no record yet. */
  readonly unknownTo = new Map<number, readonly PeerId[]>();
  readonly #user: SampleUser;
  readonly #databases: MemoryDocuments[] = [];
  readonly #catalogs: UserCatalog[] = [];

  private constructor(user: SampleUser) {
    this.#user = user;
  }

  static async open(user: SampleUser, peers: number): Promise<HomesApart> {
    const homes = new HomesApart(user);
    for (let n = 0; n < peers; n++) {
      homes.#databases.push(new MemoryDocuments());
      homes.#catalogs.push(await homes.#open(n, peers));
    }
    return homes;
  }

  at(n: number): UserCatalog {
    const catalog = this.#catalogs[n];
    assert.ok(catalog !== undefined);
    return catalog;
  }

  database(n: number): MemoryDocuments {
    const database = this.#databases[n];
    assert.ok(database !== undefined);
    return database;
  }

  /** As after a crash: nothing is known but what is in the database. */
  async restart(n: number): Promise<void> {
    await this.at(n).close();
    this.#catalogs[n] = await this.#open(n, this.#catalogs.length);
    await settled();
  }

  /** All that one has comes to the other. */
  async tell(from: number, to: number): Promise<void> {
    await this.database(to).put([...this.database(from).documents.values()]);
    await settled();
  }

  /** Until everybody has everything, answers included. */
  async meet(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      for (const from of this.#databases.keys()) {
        for (const to of this.#databases.keys()) if (from !== to) await this.tell(from, to);
      }
    }
  }

  /** All that one has, as parts of a dump in their order. */
  async sumOf(n: number): Promise<readonly Document[]> {
    const [peer, keys] = [samplePeer(n + 1), this.#user.keys()];
    const options = { user: this.#user.id, peer, peerName: `peer ${String(n + 1)}`, keys, logger: silentLogger() };
    const view = await new UserDocuments(this.database(n), options).readView();
    const target = new MemoryDocuments();
    const { signal } = new AbortController();
    await writeState(view, new UserDocuments(target, options), { base: false, signal });
    return [...target.documents.values()];
  }

  #open(n: number, peers: number): Promise<UserCatalog> {
    const all = Array.from({ length: peers }, (_, at): PeerId => samplePeer(at + 1));
    const homes = (): PeerId[] => all.filter((home) => this.unknownTo.get(n)?.includes(home) !== true);
    const options = { peer: samplePeer(n + 1), peerName: `peer ${String(n + 1)}`, homes, now: () => this.nowMs };
    return openUserCatalog(this.#user, this.database(n), options);
  }
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Carries out what can be. @returns how many stripes came free */
export async function carryOut(catalog: UserCatalog): Promise<number> {
  const { due } = await catalog.dueRemovals();
  return (await catalog.carryOutRemovals(due.map(({ node }) => node))).length;
}
