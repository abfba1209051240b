import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openUserCatalog, removeForever, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { idBytes, parseFileId, type PeerId } from '../../chunk/ids.js';
import type { Document } from '../../documents/document-database.js';
import { REMOVAL_GRACE_MS, TRASHED_PER_COMMIT } from '../../limits.js';
import { decodeChange, encodeChanges } from './change.js';
import { encodeDoom } from './dooms.js';
import type { ChangeOperation } from './operation.js';
import { ROOT_ID, TRASH_ID } from './tree.js';
import type { UserCatalog } from './user-catalog.js';
import { View } from './view.js';
import { writeState } from './state-writer.js';
import { UserDocuments } from './user-documents.js';
import { silentLogger } from '../../log.js';

const user = sampleUser();
const FOREVER = { recursive: true, forever: true };
const TRASH = { recursive: true, forever: false };

/** Turns of the event loop after which everything that came has been taken in and answered. */
const TURNS = 60;

/** One user at home at several peers, which hear of each other only when they meet. */
class Homes {
  nowMs = 1_700_000_000_000;
  readonly #databases: MemoryDocuments[] = [];
  readonly #catalogs: UserCatalog[] = [];

  static async open(peers: number): Promise<Homes> {
    const homes = new Homes();
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
    const [peer, keys] = [samplePeer(n + 1), user.keys()];
    const options = { user: user.id, peer, peerName: `peer ${String(n + 1)}`, keys, logger: silentLogger() };
    const view = await new UserDocuments(this.database(n), options).readView();
    const target = new MemoryDocuments();
    const { signal } = new AbortController();
    await writeState(view, new UserDocuments(target, options), { base: false, signal });
    return [...target.documents.values()];
  }

  #open(n: number, peers: number): Promise<UserCatalog> {
    const homes = Array.from({ length: peers }, (_, at): PeerId => samplePeer(at + 1));
    const options = { peer: samplePeer(n + 1), peerName: `peer ${String(n + 1)}`, homes, now: () => this.nowMs };
    return openUserCatalog(user, this.database(n), options);
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function paths(catalog: UserCatalog): string[] {
  return catalog.list('/', true).map(({ path }) => path);
}

/** Carries out what can be. @returns how many stripes came free */
async function carryOut(catalog: UserCatalog): Promise<number> {
  const { due } = await catalog.dueRemovals();
  return (await catalog.carryOutRemovals(due.map(({ node }) => node))).length;
}

const stripe = sampleStripe(user.id).id;
const file = (path: string) => sampleVersion(path, [sampleExtent(stripe)]);

test('where the user is at home once, what is removed for ever is free at once', async () => {
  const homes = await Homes.open(1);
  await homes.at(0).commit([file('/f')]);
  assert.deepEqual(await removeForever(homes.at(0), '/f'), [stripe]);
  assert.deepEqual(paths(homes.at(0)), []);
  assert.deepEqual(homes.at(0).deleted(), []);
});

test('with several homes it is hidden at once, and free when all of them have answered', async () => {
  const homes = await Homes.open(3);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  assert.equal(await homes.at(0).remove('/folder', FOREVER), 1);
  assert.deepEqual(paths(homes.at(0)), []);
  const waitingFor = [samplePeer(2), samplePeer(3)];
  assert.deepEqual(await homes.at(0).dueRemovals(), { due: [], waitingFor });
  await homes.tell(0, 1);
  assert.deepEqual(paths(homes.at(1)), []);
  await homes.tell(1, 0);
  assert.deepEqual(await homes.at(0).dueRemovals(), { due: [], waitingFor: [samplePeer(3)] });
  await homes.meet();
  assert.equal(await carryOut(homes.at(1)), 0, 'whoever announced it carries it out');
  assert.equal(await carryOut(homes.at(0)), 1);
  await homes.meet();
  for (const n of [0, 1, 2]) {
    assert.deepEqual(await homes.at(n).unreferenced([stripe]), [stripe]);
    assert.deepEqual(await homes.at(n).dueRemovals(), { due: [], waitingFor: [] });
  }
});

for (const [what, restore] of [
  ['taken out of the trash', (catalog: UserCatalog) => catalog.restore('/folder')],
  ['taken out of its folder in the trash', (catalog: UserCatalog) => catalog.restore('/folder/f')],
] as const) {
  test(`what was ${what} at one home is not lost to a trash that another empties meanwhile`, async () => {
    const homes = await Homes.open(2);
    await homes.at(0).commit([file('/folder/f'), file('/other')]);
    await homes.at(0).remove('/folder', TRASH);
    await homes.meet();
    await restore(homes.at(1));
    await homes.at(0).emptyTrash(Number.MAX_SAFE_INTEGER);
    await homes.restart(1);
    await homes.meet();
    assert.equal(await carryOut(homes.at(0)), 0);
    await homes.meet();
    for (const n of [0, 1]) {
      assert.equal(homes.at(n).versions('/folder/f').length, 1);
      assert.deepEqual(await homes.at(n).unreferenced([stripe]), []);
    }
  });
}

test('an old version that one home makes the newest again calls a removal elsewhere off', async () => {
  const homes = await Homes.open(2);
  const old = file('/f');
  await homes.at(0).commit([old]);
  await homes.at(0).commit([sampleVersion('/f')]);
  await homes.meet();
  await homes.at(1).restore('/f', old.manifest.version);
  await homes.at(0).remove('/f', FOREVER);
  assert.equal(await carryOut(homes.at(0)), 0);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 0);
  for (const n of [0, 1]) {
    assert.equal(homes.at(n).versions('/f').length, 3);
    assert.deepEqual(await homes.at(n).unreferenced([stripe]), []);
  }
});

test('what is put into a folder that is removed for ever elsewhere is shown, and the folder with it', async () => {
  const homes = await Homes.open(2);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', FOREVER);
  await homes.at(1).commit([sampleVersion('/folder/new')]);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 0);
  for (const n of [0, 1]) assert.deepEqual(paths(homes.at(n)), ['/folder', '/folder/f', '/folder/new']);
  // Who knows of it removes it.
  await homes.at(0).remove('/folder', FOREVER);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
  assert.deepEqual(paths(homes.at(0)), []);
});

test('a folder made anew while its removal waits is another one', async () => {
  const homes = await Homes.open(2);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', FOREVER);
  await homes.at(0).commit([sampleVersion('/folder/later')]);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
  await homes.meet();
  for (const n of [0, 1]) assert.deepEqual(paths(homes.at(n)), ['/folder', '/folder/later']);
});

test('a home that never answers is waited for no longer than the grace', async () => {
  const homes = await Homes.open(2);
  await homes.at(0).commit([file('/f')]);
  await homes.at(0).remove('/f', FOREVER);
  homes.nowMs += REMOVAL_GRACE_MS - 1;
  assert.equal(await carryOut(homes.at(0)), 0);
  homes.nowMs += 1;
  assert.equal(await carryOut(homes.at(0)), 1);
});

test('announcements and answers survive a sum of the changes', async () => {
  const homes = await Homes.open(3);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await homes.at(0).remove('/f', FOREVER);
  await homes.tell(0, 1);
  // Only a sum of what the second home has, its answer included, comes to the others.
  const sum = await homes.sumOf(1);
  for (const n of [0, 2]) await homes.database(n).put(sum);
  await homes.restart(2);
  assert.deepEqual(paths(homes.at(2)), []);
  await homes.tell(2, 0);
  assert.deepEqual((await homes.at(0).dueRemovals()).waitingFor, []);
  assert.equal(await carryOut(homes.at(0)), 1);
});

test('what two homes put into a folder that a third has removed is taken back once, under its own name', async () => {
  const homes = await Homes.open(3);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', TRASH);
  await homes.at(1).commit([sampleVersion('/folder/deep/one')]);
  await homes.at(2).commit([sampleVersion('/folder/two')]);
  await homes.meet();
  for (const n of [0, 1, 2]) {
    assert.deepEqual(paths(homes.at(n)), ['/folder', '/folder/deep', '/folder/deep/one', '/folder/two']);
    assert.deepEqual(
      homes
        .at(n)
        .deleted()
        .map(({ path, files }) => ({ path, files })),
      [{ path: '/folder', files: 1 }],
    );
  }
});

test('an answer that a part of a sum brings before what its peer had written does not count yet', async () => {
  const homes = await Homes.open(3);
  const many = Array.from({ length: 600 }, (_, at) => sampleVersion(`/many/${String(at)}`));
  // Its node comes last in a sum, the answers first.
  const last = file('/f');
  const manifest = { ...last.manifest, file: parseFileId(Buffer.alloc(16, 0xff)) };
  await homes.at(0).commit([...many, { ...last, manifest }, sampleVersion('/other')]);
  await homes.at(0).remove('/f', TRASH);
  await homes.at(0).remove('/other', TRASH);
  await homes.meet();
  await homes.at(1).restore('/f');
  await homes.at(0).emptyTrash(Number.MAX_SAFE_INTEGER);
  await homes.tell(0, 1);
  await homes.tell(1, 2);
  const sum = await homes.sumOf(2);
  const [, , withAnswers, ...others] = sum;
  assert.ok(withAnswers !== undefined && others.length > 1);
  await homes.database(0).put([withAnswers]);
  await settled();
  assert.equal(await carryOut(homes.at(0)), 0);
  await homes.database(0).put(sum);
  await settled();
  assert.equal(await carryOut(homes.at(0)), 0);
  assert.deepEqual((await homes.at(0).dueRemovals()).waitingFor, []);
  await homes.meet();
  for (const n of [0, 1, 2]) {
    assert.equal(homes.at(n).versions('/f').length, 1);
    assert.deepEqual(homes.at(n).deleted(), []);
  }
});

test('what a part of a sum brings ahead of its peer is not removed for ever in ignorance of the rest', async () => {
  const homes = await Homes.open(2);
  const version = file('/f');
  const early = { ...version, manifest: { ...version.manifest, file: parseFileId(Buffer.alloc(16, 1)) } };
  const many = Array.from({ length: 600 }, (_, at) => sampleVersion(`/many/${String(at)}`));
  await homes.at(1).commit([early, ...many]);
  const [, , first] = await homes.sumOf(1);
  assert.ok(first !== undefined);
  await homes.database(0).put([first]);
  await settled();
  await assert.rejects(homes.at(0).remove('/f', FOREVER), { code: 'UNAVAILABLE' });
});

test('what was put into a folder that went into the trash, and from there for ever, is shown where it was put', async () => {
  const homes = await Homes.open(2);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', TRASH);
  await homes.at(0).emptyTrash(Number.MAX_SAFE_INTEGER);
  const many = Array.from({ length: TRASHED_PER_COMMIT + 1 }, (_, at) => sampleVersion(`/folder/${String(at)}`));
  await homes.at(1).commit(many);
  await homes.tell(1, 0);
  assert.equal(paths(homes.at(0)).length, many.length + 1);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 0);
  for (const n of [0, 1]) {
    assert.equal(paths(homes.at(n)).length, many.length + 1);
    assert.deepEqual(
      homes
        .at(n)
        .deleted()
        .map(({ path, files }) => ({ path, files })),
      [{ path: '/folder', files: 1 }],
    );
  }
});

test('an announcement over the root or the trash says nothing', () => {
  const view = new View();
  const change = { counter: 1, peer: samplePeer(1), document: '1'.repeat(64), peerName: '' };
  const doom = encodeDoom({ over: undefined, issuedMs: 0, seen: new Map() });
  const removals = [ROOT_ID, TRASH_ID].map((node) => ({ node: idBytes(node), versions: [], doom, seen: [] }));
  const operations = removals.map((value): ChangeOperation => ({ $case: 'removeEntry', value }));
  for (const encode of encodeChanges(operations, { commit: new Uint8Array(16), peerName: '' })) {
    view.apply(decodeChange(encode(undefined)), change);
  }
  assert.deepEqual(view.tree.dooms.list(), []);
});
