/** Every document database of every peer is gone: chunks, labels and directories bring the catalog back. Four peers, 3+1. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { ChunkSummary, ListOptions } from '../../src/chunk/chunk-store.js';
import {
  recoverCatalog,
  type Recovered,
  type RecoverOptions,
  type UnreadStripe,
} from '../../src/file/recover/recover.js';
import type { PeerInventory } from '../../src/file/recover/inventory.js';
import type { BrokenVersion } from '../../src/file/recover/version-drafts.js';
import { RECOVERED_FOLDER } from '../../src/file/recover/bring-back.js';
import { readFile } from '../../src/file/read.js';
import { adoptOwner } from '../../src/file/recover/find-owner.js';
import type { StorageError } from '../../src/errors.js';
import type { Peer } from '../../src/peer/peer.js';
import { collectOrphans, freeStripes } from '../../src/file/remove.js';
import { DELETE_RETRY_MAX_MS } from '../../src/limits.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { removeForever } from '../contract/catalog-trash.js';
import { NEVER } from '../contract/offer.js';
import { forgetUsers, loseDatabases } from './amnesia.js';
import { assertStored, paths, put, putAll, read, remove } from './files.js';
import { PASSPHRASE, Planet } from './planet.js';

const KIB = 1024;
const MIB = 1024 * KIB;

const FILM = seededBytes('film', 14 * MIB);
const SONG = seededBytes('song', 3 * MIB);
const VERSIONS = [1, 2, 3].map((n) => seededBytes(`draft ${String(n)}`, 40_000 + n));
const NOTES = new Map(
  Array.from({ length: 50 }, (_, i) => [
    `/notes/${String(i % 5)}/${String(i)}.txt`,
    seededBytes(`note ${String(i)}`, 900 + i),
  ]),
);

interface Told extends Recovered {
  readonly peers: PeerInventory[];
  readonly recovered: string[];
  readonly broken: BrokenVersion[];
  readonly unread: UnreadStripe[];
  readonly failed: string[];
}

async function recover(planet: Planet, changed: Partial<RecoverOptions> = {}): Promise<Told> {
  const told: Omit<Told, keyof Recovered> = { peers: [], recovered: [], broken: [], unread: [], failed: [] };
  let [stripes, steps] = [0, 0];
  const recovered = await recoverCatalog(planet.engine, planet.session, {
    signal: NEVER,
    dryRun: false,
    onPeer: (peer) => told.peers.push(peer),
    onStripes: (count) => (stripes = count),
    onStripe: () => steps++,
    onUnread: (stripe) => told.unread.push(stripe),
    onBroken: (version) => told.broken.push(version),
    onRecovered: (_, path) => told.recovered.push(path),
    onFailed: ({ path }) => told.failed.push(path),
    ...changed,
  });
  if (Object.keys(changed).length === 0) assert.equal(steps, stripes, 'every stripe is told of');
  return { ...told, ...recovered };
}

describe('a network that has lost all its databases', () => {
  let planet: Planet;
  const kept = new Map<string, Uint8Array>();

  before(async () => {
    planet = await Planet.open({ peers: 4 });
    await putAll(planet, Object.fromEntries([...NOTES, ['/empty', new Uint8Array()]]));
    await put(planet, '/films/film', FILM);
    await put(planet, '/song', SONG);
    for (const version of VERSIONS) await put(planet, '/draft', version);
    await put(planet, '/moved-unchanged', seededBytes('moved', 5000));
    await planet.engine.catalog.move(planet.session, '/moved-unchanged', '/elsewhere');
    await put(planet, '/before', seededBytes('before', 5000));
    await planet.engine.catalog.move(planet.session, '/before', '/after');
    await put(planet, '/after', seededBytes('after', 6000));
    const { freed } = await removeForever(planet.engine.catalog, planet.session, '/song');
    await freeStripes(planet.engine, planet.session, freed);
    await planet.deliver();
    await remove(planet, '/notes/0/0.txt');
    for (const [path, content] of NOTES) kept.set(path, content);
    kept
      .set('/films/film', FILM)
      .set('/draft', VERSIONS[2] ?? new Uint8Array())
      .set('/empty', new Uint8Array());
    kept.set('/moved-unchanged', seededBytes('moved', 5000)).set('/after', seededBytes('after', 6000));
  });
  after(() => planet[Symbol.asyncDispose]());

  beforeEach(async () => {
    for (const n of planet.numbers) {
      if (planet.isUp(n)) await planet.reconnect(n);
      else await planet.start(n);
    }
  });

  async function assertAllBack(): Promise<void> {
    assert.deepEqual((await paths(planet)).toSorted(), [...kept.keys()].toSorted());
    for (const [path, content] of kept) assert.ok((await read(planet, path)).equals(content), path);
    const versions = await planet.engine.catalog.versions(planet.session, '/draft');
    assert.equal(versions.length, VERSIONS.length);
    for (const [index, { version, current }] of versions.entries()) {
      assert.equal(current, index === 0);
      const bytes = await read(planet, '/draft', { version });
      assert.ok(bytes.equals(VERSIONS[VERSIONS.length - 1 - index] ?? new Uint8Array()), `version ${String(index)}`);
    }
  }

  it('has nothing to bring back as long as the catalog is there', async () => {
    const { recovered, broken, unread, known } = await recover(planet);
    // A removed file comes back only where it is not known that it was removed.
    assert.deepEqual({ recovered, broken, unread }, { recovered: [], broken: [], unread: [] });
    assert.ok(known > NOTES.size);
  });

  it('finds everything again, byte for byte', async () => {
    await loseDatabases(planet);
    assert.deepEqual(await paths(planet), []);
    const dry = await recover(planet, { dryRun: true });
    assert.deepEqual(await paths(planet), [], 'a dry run changes nothing');
    const { recovered, broken, unread, failed, peers, known } = await recover(planet);
    assert.deepEqual(recovered.toSorted(), dry.recovered.toSorted());
    assert.deepEqual({ broken, unread, failed, known }, { broken: [], unread: [], failed: [], known: 0 });
    assert.equal(peers.length, 4);
    for (const { chunks, badLabels, failure } of peers) {
      assert.ok(chunks > 0);
      assert.deepEqual({ badLabels, failure }, { badLabels: 0, failure: undefined });
    }
    // The removed note lies in the trash, which no chunk knows of; the song is gone for good.
    assert.ok(recovered.includes('/notes/0/0.txt'));
    assert.ok(!recovered.includes('/song'));
    await assertAllBack();
    await assertStored(planet, '/films/film', FILM);
  });

  it('adds nothing when it runs again, also after files were moved and removed', async () => {
    await planet.engine.catalog.move(planet.session, '/notes/1', '/moved-notes');
    await planet.engine.catalog.remove(planet.session, '/notes/2/2.txt');
    const before = await paths(planet);
    const { recovered } = await recover(planet);
    assert.deepEqual(recovered, []);
    assert.deepEqual(await paths(planet), before);
  });

  it('does without a peer that is dead', async () => {
    await loseDatabases(planet);
    await planet.kill(3);
    const { peers, broken, unread } = await recover(planet);
    assert.deepEqual(
      peers.filter(({ failure }) => failure !== undefined).map(({ name }) => name),
      ['peer-3'],
    );
    assert.deepEqual({ broken, unread }, { broken: [], unread: [] });
    await assertAllBack();
  });

  it('does not believe a peer that claims every chunk, and labels of others', async () => {
    await loseDatabases(planet);
    const store = planet.peer(2).store;
    const honest = store.list.bind(store);
    store.list = async function* (options: ListOptions): AsyncGenerator<ChunkSummary> {
      const all = new Map<string, ChunkSummary>();
      for (const n of [1, 3, 4]) {
        for await (const summary of planet.peer(n).store.list({ signal: NEVER })) all.set(summary.id, summary);
      }
      for await (const summary of honest({ signal: NEVER })) all.set(summary.id, summary);
      const sorted = [...all.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const [first] = sorted;
      // One label in ten is another chunk's.
      for (const [n, summary] of sorted.entries()) {
        if (options.after !== undefined && summary.id <= options.after) continue;
        yield n % 10 === 9 && first !== undefined ? { ...summary, label: first.label } : summary;
      }
    };
    const { peers, broken, unread } = await recover(planet);
    store.list = honest;
    assert.ok((peers.find(({ name }) => name === 'peer-2')?.badLabels ?? 0) > 0);
    assert.deepEqual({ broken, unread }, { broken: [], unread: [] });
    await assertAllBack();
    const chunks = await planet.chunksOf('/films/film');
    for (const { id, peer } of chunks) assert.ok((await planet.peer(peer).store.has([id], { signal: NEVER })).has(id));
  });

  it('says which files are not whole, and why, and brings the others back', async () => {
    const [first] = await planet.chunksOf('/films/film');
    assert.ok(first !== undefined);
    const lose = async (...indices: number[]): Promise<void> => {
      const ids = indices.map((index) => first.stripe.chunks[index] ?? assert.fail());
      for (const n of planet.numbers) await planet.peer(n).store.delete(planet.session.user, ids, { signal: NEVER });
    };
    await loseDatabases(planet);
    // The directory lies in the last data chunk, and is read from it alone.
    await lose(0, 1);
    const { broken, unread, recovered } = await recover(planet);
    assert.deepEqual(unread, []);
    assert.deepEqual(
      broken.map(({ path }) => path),
      ['/films/film'],
    );
    assert.match(broken[0]?.missing ?? '', /^bytes 0–\d+$/);
    assert.ok(!recovered.includes('/films/film'));
    kept.delete('/films/film');
    await assertAllBack();
    await lose(2);
    const again = await recover(planet);
    assert.deepEqual(
      again.unread.map(({ stripe, chunks, k, error }) => ({ stripe, chunks, k, code: error.code })),
      [{ stripe: first.stripe.id, chunks: 1, k: 3, code: 'UNAVAILABLE' }],
    );
    assert.deepEqual(
      again.broken.map(({ missing }) => missing),
      broken.map(({ missing }) => missing),
    );
  });

  it('can be stopped at any moment and run again', async () => {
    await loseDatabases(planet);
    const moments = ['onPeer', 'onStripes', 'onStripe', 'onRecovered'] as const;
    for (const moment of moments) {
      const stop = new AbortController();
      const stopped = recover(planet, {
        signal: stop.signal,
        [moment]: () => {
          stop.abort(new Error(moment));
        },
      });
      // What comes back last comes back with everything: there is nothing left to stop.
      if (moment === 'onRecovered') await stopped;
      else await assert.rejects(stopped, new RegExp(moment));
    }
    assert.deepEqual((await recover(planet)).recovered, []);
    await assertAllBack();
  });

  it('puts what comes back behind what was stored since, and beside what is in its way', async () => {
    await loseDatabases(planet);
    const later = seededBytes('later', 7000);
    await put(planet, '/draft', later);
    await put(planet, '/notes', later);
    await put(planet, '/after/within', later);
    const { failed } = await recover(planet);
    assert.deepEqual(failed, []);
    assert.ok((await read(planet, '/draft')).equals(later), 'what is newest stays the newest');
    const versions = await planet.engine.catalog.versions(planet.session, '/draft');
    const contents = await Promise.all(versions.map(({ version }) => read(planet, '/draft', { version })));
    for (const version of VERSIONS) assert.ok(contents.some((bytes) => bytes.equals(version)));
    assert.ok((await read(planet, '/notes')).equals(later));
    for (const [path, content] of NOTES) {
      assert.ok((await read(planet, RECOVERED_FOLDER + path)).equals(content), path);
    }
    assert.ok((await read(planet, `${RECOVERED_FOLDER}/after`)).equals(seededBytes('after', 6000)));
    assert.deepEqual((await recover(planet)).recovered, []);
  });
});

describe('a network that loses its databases in the middle of something', () => {
  let planet: Planet;
  const [one, two] = [seededBytes('one', 20_000), seededBytes('two', 30_000)];

  before(async () => {
    planet = await Planet.open({ peers: 3 });
  });
  after(() => planet[Symbol.asyncDispose]());

  it('finds what was stored under keys that were replaced since', async () => {
    await put(planet, '/one', one);
    for await (const { generation } of planet.engine.catalog.rotateKeys(planet.session, PASSPHRASE)) {
      assert.equal(generation, 2);
    }
    await planet.restart(1);
    assert.equal(planet.session.generation, 2);
    await put(planet, '/two', two);
    await loseDatabases(planet);
    assert.deepEqual((await recover(planet)).recovered.toSorted(), ['/one', '/two']);
    assert.ok((await read(planet, '/one')).equals(one));
    assert.ok((await read(planet, '/two')).equals(two));
  });

  it('deletes nothing of what comes back, whatever waited to be deleted', async () => {
    const chunks = await planet.chunksOf('/one');
    const { user: owner } = planet.session;
    const [first] = chunks;
    assert.ok(first !== undefined);
    const deletes = chunks.map(({ id, peer, stripe }) => ({
      peer: planet.id(peer),
      owner,
      chunk: id,
      stripe: stripe.id,
    }));
    const [other] = await planet.chunksOf('/two');
    assert.ok(other !== undefined);
    // What a power cut leaves of a put that had just become visible.
    const targets = planet.numbers.map((n) => planet.id(n));
    await planet.engine.outbox.intend({ stripe: other.stripe.id, owner, chunks: other.stripe.chunks, targets });
    await loseDatabases(planet);
    await collectOrphans(planet.engine, planet.session);
    assert.equal(planet.engine.outbox.intents(owner).length, 1, 'it remembers that there was more');
    await planet.deliver();
    await planet.engine.outbox.add(deletes, DELETE_RETRY_MAX_MS);
    assert.deepEqual((await recover(planet)).recovered.toSorted(), ['/one', '/two']);
    await collectOrphans(planet.engine, planet.session);
    await planet.deliver();
    assert.equal(planet.engine.outbox.pending(), 0);
    assert.ok((await read(planet, '/one')).equals(one));
    assert.ok((await read(planet, '/two')).equals(two));
  });
});

describe('a peer that has lost its users too', () => {
  let planet: Planet;
  const content = seededBytes('mine', 20_000);

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    await put(planet, '/mine', content);
    await planet.stop(2);
    await forgetUsers(planet.home(2));
    await planet.start(2);
  });
  after(() => planet[Symbol.asyncDispose]());

  it('finds a user at the others by name or id, and brings the files back with the passphrase', async () => {
    const { engine } = planet.peer(2);
    assert.deepEqual(await engine.catalog.users(), []);
    await assert.rejects(adoptOwner(engine, { name: 'nobody' }, NEVER), { code: 'NOT_FOUND' });
    const { user: owner } = planet.session;
    assert.equal((await adoptOwner(engine, { name: 'demo' }, NEVER)).id, owner);
    assert.equal((await adoptOwner(engine, { owner }, NEVER)).name, 'demo');
    const session = await engine.catalog.unlock('demo', PASSPHRASE);
    const recovered: string[] = [];
    const quiet = (): void => undefined;
    const events = {
      onPeer: quiet,
      onStripes: quiet,
      onStripe: quiet,
      onUnread: quiet,
      onBroken: quiet,
      onFailed: quiet,
    };
    const onRecovered = (_: unknown, path: string): void => void recovered.push(path);
    await recoverCatalog(engine, session, { ...events, onRecovered, signal: NEVER, dryRun: false });
    assert.deepEqual(recovered, ['/mine']);
    const manifest = await engine.catalog.manifest(session, '/mine');
    const parts: Uint8Array[] = [];
    const range = { from: 0, to: manifest.bytes };
    for await (const part of readFile(engine, session, { manifest, range, signal: NEVER })) parts.push(part);
    assert.ok(Buffer.concat(parts).equals(content));
  });

  it('lets people choose when a peer offers another user of that name, and believes no forgery', async () => {
    const again = async (): Promise<Peer> => {
      await planet.stop(2);
      await forgetUsers(planet.home(2));
      await planet.start(2);
      return planet.peer(2);
    };
    const stranger = (await again()).engine.catalog;
    const impostor = await stranger.createUser('demo', 'another passphrase');
    const theirs = await stranger.exportUser('demo');
    const mine = await planet.engine.catalog.exportUser('demo');
    const { engine } = await again();
    const remote = engine.links.remote.bind(engine.links);
    engine.links.remote = (id) => {
      const store = remote(id);
      const forged = mine.map((byte, at) => (at === 40 ? byte ^ 1 : byte));
      store.owners = () => Promise.resolve(id === planet.id(3) ? [forged, theirs] : [mine, forged]);
      return store;
    };
    const { user: owner } = planet.session;
    await assert.rejects(adoptOwner(engine, { name: 'demo' }, NEVER), (error: StorageError) => {
      assert.equal(error.code, 'CONFLICT');
      for (const id of [owner, impostor.id]) assert.ok(error.message.includes(id));
      return true;
    });
    assert.deepEqual(await engine.catalog.users(), []);
    assert.equal((await adoptOwner(engine, { owner }, NEVER)).id, owner);
    // The name stands for this user from now on, whatever others offer.
    assert.equal((await adoptOwner(engine, { name: 'demo' }, NEVER)).id, owner);
  });
});
