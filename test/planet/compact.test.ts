/** Stripes of which little is needed are stored anew, and their space is given back: four peers, 3+1. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Catalog } from '../../src/catalog/catalog.js';
import type { CompactionCatalog } from '../../src/catalog/compaction.js';
import type { StripeId } from '../../src/chunk/ids.js';
import { openLabel } from '../../src/chunk/label.js';
import { StorageError } from '../../src/errors.js';
import {
  type CompactedNow,
  compactNow,
  type CompactNowOptions,
  compactSparse,
  giveUpPlaces,
  LEAST_DEAD_BYTES,
  MOVED_GRACE_MS,
} from '../../src/file/compact/tidy.js';
import { COMPACT_SETTLE_MS } from '../../src/file/compact/compact.js';
import { COMPACT_INTERVAL_MS, COMPACT_RETRY_MS } from '../../src/file/compact/compaction-book.js';
import type { Engine } from '../../src/file/engine.js';
import { keepHouse } from '../../src/file/keep-house.js';
import { readFile } from '../../src/file/read.js';
import { recoverCatalog } from '../../src/file/recover/recover.js';
import { deliverDeletes } from '../../src/file/remove.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { loseDatabases } from './amnesia.js';
import { assertStored, paths, put, putAll, remove } from './files.js';
import { Planet } from './planet.js';

const FILES = 40;
const FILE_BYTES = 150_000;
/** Every fifth is kept. */
const KEPT = FILES / 5;
/** Only the directory of a stripe tells of it. */
const EMPTY = '/kept/empty';

const bytesOf = (at: number): Uint8Array => seededBytes(`file ${String(at)}`, FILE_BYTES + at);
const pathOf = (at: number): string => `/${at % 5 === 0 ? 'kept' : 'gone'}/${String(at)}`;

describe('compaction', () => {
  let planet: Planet;

  beforeEach(async () => {
    planet = await Planet.open({ peers: 4 });
    await fill();
  });
  afterEach(() => planet[Symbol.asyncDispose]());

  async function fill(): Promise<void> {
    const files = Array.from({ length: FILES }, (_, at): [string, Uint8Array] => [pathOf(at), bytesOf(at)]);
    await putAll(planet, { ...Object.fromEntries(files), [EMPTY]: new Uint8Array() });
    await remove(planet, '/gone');
  }

  function now(options: Partial<CompactNowOptions> = {}, engine: Engine = planet.engine): Promise<CompactedNow> {
    const all = { signal: NEVER, giveBack: false, onProgress: () => undefined, ...options };
    return compactNow(engine, planet.session, all);
  }

  /** After all databases of all peers are lost. */
  async function recoverAll(): Promise<void> {
    await loseDatabases(planet);
    const silent = () => undefined;
    await recoverCatalog(planet.engine, planet.session, {
      ...{ signal: NEVER, dryRun: false, onPeer: silent, onStripes: silent, onStripe: silent, onUnread: silent },
      ...{ onBroken: silent, onRecovered: silent, onFailed: silent },
    });
  }

  async function assertKept(): Promise<void> {
    for (let at = 0; at < FILES; at += 5) await assertStored(planet, pathOf(at), bytesOf(at));
    assert.equal((await paths(planet)).filter((path) => path.startsWith('/kept/')).length, KEPT + 1);
    assert.equal((await planet.engine.catalog.stat(planet.session, EMPTY)).bytes, 0);
  }

  async function stripesOf(path: string): Promise<StripeId[]> {
    const { extents } = await planet.engine.catalog.manifest(planet.session, path);
    return extents.map(({ stripe }) => stripe);
  }

  /** Bytes of chunks at all peers. */
  async function held(): Promise<number> {
    let bytes = 0;
    for (const n of planet.numbers) {
      for await (const chunk of planet.peer(n).store.list({ signal: NEVER })) bytes += chunk.bytes;
    }
    return bytes;
  }

  /** However long that takes. */
  async function deliver(): Promise<void> {
    await planet.deliver();
    // Sessions end meanwhile.
    await planet.passTime(0);
  }

  /** Whatever lies at a peer belongs to a stripe that somebody refers to, or that is kept for readers. */
  async function assertNothingLoose(): Promise<void> {
    await deliver();
    const { catalog } = planet.engine;
    const stripes = await catalog.stripeIds({ limit: 1000 });
    assert.deepEqual(await catalog.unreferenced(planet.session, stripes), []);
    const known = (await catalog.stripes(stripes)).flatMap((record) => record?.chunks ?? []);
    for (const n of planet.numbers) {
      for await (const { id } of planet.peer(n).store.list({ signal: NEVER })) assert.ok(known.includes(id));
    }
  }

  it('stores anew what is needed, and gives back the rest when nobody can be reading there any more', async () => {
    const [before, stored] = [await stripesOf(pathOf(0)), await held()];
    const manifest = await planet.engine.catalog.manifest(planet.session, pathOf(0));
    const needed = KEPT * FILE_BYTES;
    const done = await now();
    assert.ok(done.stripes >= 1 && done.passedOver === 0);
    assert.equal(done.versions, KEPT);
    assert.ok(done.movedBytes > needed && done.movedBytes < needed * 1.01);
    assert.ok(done.deadBytes > 3.9 * needed && done.deadBytes < 4.1 * needed);
    assert.equal(done.waiting, 1);
    await assertKept();
    assert.ok(!(await stripesOf(pathOf(0))).some((stripe) => before.includes(stripe)));
    assert.deepEqual(
      { ...(await now()), waiting: 0 },
      { stripes: 0, versions: 0, movedBytes: 0, deadBytes: 0, passedOver: 0, waiting: 0 },
    );

    await keepHouse(planet.engine, planet.session, NEVER);
    await deliver();
    const { catalog } = planet.engine;
    assert.equal((await catalog.stripes(before)).filter((record) => record !== undefined).length, before.length);
    const reading = { manifest, range: { from: 0, to: manifest.bytes }, signal: NEVER };
    const read: Uint8Array[] = [];
    for await (const bytes of readFile(planet.engine, planet.session, reading)) read.push(bytes);
    assert.ok(Buffer.concat(read).equals(bytesOf(0)), 'who began to read before still does');

    await planet.passTime(MOVED_GRACE_MS);
    await giveUpPlaces(planet.engine, planet.session);
    await keepHouse(planet.engine, planet.session, NEVER);
    await deliver();
    assert.deepEqual(
      await catalog.stripes(before),
      before.map(() => undefined),
    );
    const left = await held();
    assert.ok(left < stored * 0.25, `${String(left)} of ${String(stored)} bytes`);
    await assertNothingLoose();
    await assertKept();

    // The directories of the new stripes tell of the files.
    await recoverAll();
    await assertKept();
  });

  it('leaves a file of several extents to be recovered, whatever was done to it since it was put', async () => {
    const large = seededBytes('large', 14_000_000);
    const others = Array.from({ length: 40 }, (_, at): [string, Uint8Array] => [`/beside/${String(at)}`, bytesOf(at)]);
    await putAll(planet, { '/large': large, ...Object.fromEntries(others) });
    await planet.engine.catalog.setAttributes(planet.session, '/large', { mode: 0o600 });
    await remove(planet, '/beside');
    const before = await stripesOf('/large');
    const { waiting } = await now({ giveBack: true });
    const after = await stripesOf('/large');
    assert.equal(waiting, 0);
    assert.deepEqual([before.length, after[0] === before[0], after[1] === before[1]], [2, true, false]);
    await assertNothingLoose();
    await recoverAll();
    await assertStored(planet, '/large', large);
  });

  it('moves nothing to where it would be less safe', async () => {
    const before = await stripesOf(pathOf(0));
    await planet.engine.catalog.setNetwork({ name: 'net', tolerate: 2 });
    await planet.stop(4);
    await assert.rejects(now(), { code: 'UNAVAILABLE' });
    assert.deepEqual(await stripesOf(pathOf(0)), before);
    await planet.start(4);
    await assertNothingLoose();
    await assertKept();
  });

  it('one at a time: housekeeping does not wait for another one', async () => {
    let ended = false;
    const running = now().finally(() => {
      ended = true;
    });
    await assert.rejects(now(), { code: 'CONFLICT' });
    planet.engine.compaction.again(planet.session.user, 0);
    await compactSparse(planet.engine, planet.session, NEVER);
    assert.equal(ended, false);
    await running;
  });

  it('gives back at once when that is asked for, history and trash kept', async () => {
    const first = await planet.engine.catalog.versions(planet.session, pathOf(5));
    await put(planet, pathOf(5), seededBytes('newer', 1000));
    await planet.engine.catalog.remove(planet.session, pathOf(10));
    const { waiting } = await now({ giveBack: true });
    assert.equal(waiting, 0);
    await assertNothingLoose();
    await assertStored(planet, pathOf(5), seededBytes('newer', 1000));
    const [old] = first;
    await planet.engine.catalog.restore(planet.session, pathOf(5), old?.version);
    await planet.engine.catalog.restore(planet.session, pathOf(10));
    await assertKept();
  });

  it('cut off at any moment leaves every file readable, and nothing that nobody knows of', async () => {
    const { catalog } = planet.engine;
    const steps = ['liveExtents', 'directoryKey', 'putStripes', 'moveExtents'] as const;
    for (const step of steps) {
      const cut = new AbortController();
      const failing = withCatalog(planet.engine, step, () => {
        cut.abort(new StorageError('CANCELLED', 'Cut off.'));
        throw new StorageError('CANCELLED', 'Cut off.');
      });
      await assert.rejects(now({ signal: cut.signal }, failing), { code: 'CANCELLED' }, step);
      await assertKept();
      if (step !== 'moveExtents') await assertNothingLoose();
    }
    // A commit that broke may have reached the disk: what it may refer to stays until this process ends.
    const breaking = withCatalog(
      planet.engine,
      'moveExtents',
      async (moves: Parameters<typeof catalog.compaction.moveExtents>) => {
        await catalog.compaction.moveExtents(...moves);
        throw new StorageError('INTERNAL', 'The answer was lost.');
      },
    );
    await assert.rejects(now({}, breaking), { code: 'INTERNAL' });
    await keepHouse(planet.engine, planet.session, NEVER);
    await deliver();
    await assertKept();
    await planet.stop(1);
    await planet.start(1);
    await keepHouse(planet.engine, planet.session, NEVER);
    await deliver();
    await assertNothingLoose();
    await assertKept();
    assert.equal((await now({ giveBack: true })).stripes, 0, 'it was moved');
    await assertNothingLoose();
    await assertKept();
  });

  it('what cannot be read stays as it is, and too few peers move nothing', async () => {
    for (const n of [3, 4]) await planet.stop(n);
    await assert.rejects(now(), { code: 'TOO_FEW_PEERS' });
    await planet.start(3);
    const [before] = await stripesOf(pathOf(0));
    assert.ok(before !== undefined);
    await planet.start(4);
    for (const n of planet.numbers.slice(1)) {
      const { store } = planet.peer(n);
      for await (const { id, owner, label } of store.list({ signal: NEVER })) {
        if (openLabel(label).stripe === before) await store.delete(owner, [id], { signal: NEVER });
      }
    }
    const { passedOver } = await now();
    assert.equal(passedOver, 1);
    assert.deepEqual(await stripesOf(pathOf(0)), [before]);
    await assertNothingLoose();
  });

  it('what a clock that was far ahead has put is stored anew unasked, too', async () => {
    // The certificates of the peers are not valid at any time before now.
    await planet.passTime(2 * COMPACT_INTERVAL_MS);
    await remove(planet, '/kept');
    await fill();
    const before = await stripesOf(pathOf(0));
    await planet.passTime(-2 * COMPACT_INTERVAL_MS);
    const tidy = () => compactSparse(planet.engine, planet.session, NEVER);
    await tidy();
    await planet.passTime(COMPACT_RETRY_MS);
    await tidy();
    assert.notDeepEqual(await stripesOf(pathOf(0)), before);
    await assertKept();
  });

  it('unasked it waits until it is worth it, and leaves alone what was stored just now', async () => {
    const { compaction } = planet.engine;
    const before = await stripesOf(pathOf(0));
    const tidy = () => compactSparse(planet.engine, planet.session, NEVER);
    assert.equal(compaction.isDue(planet.session.user), false, 'not right after the start');
    await planet.passTime(COMPACT_RETRY_MS);
    await tidy();
    assert.deepEqual(await stripesOf(pathOf(0)), before);
    const [summary] = compaction.summaries();
    assert.ok((summary?.found?.stripes ?? 0) >= 1 && (summary?.found?.deadBytes ?? 0) > LEAST_DEAD_BYTES);
    assert.equal(compaction.isDue(planet.session.user), false);
    await planet.passTime(Math.max(COMPACT_INTERVAL_MS, COMPACT_SETTLE_MS));
    await tidy();
    assert.notDeepEqual(await stripesOf(pathOf(0)), before);
    await assertKept();
    assert.equal(compaction.isDue(planet.session.user), false);
    await planet.passTime(COMPACT_INTERVAL_MS);
    await remove(planet, pathOf(0));
    await tidy();
    assert.deepEqual(
      compaction.summaries().map(({ found }) => found?.stripes),
      [0],
      'most of it is needed',
    );
    await deliverDeletes(planet.engine, planet.session, NEVER);
  });
});

/** The engine with another catalog method. */
function withCatalog(
  engine: Engine,
  name: keyof Catalog | keyof CompactionCatalog,
  method: (args: never) => unknown,
): Engine {
  const replaced = { [name]: async (...args: unknown[]) => method(args as never) };
  const compaction = replacing(engine.catalog.compaction, replaced);
  return { ...engine, catalog: replacing(engine.catalog, { ...replaced, compaction }) };
}

function replacing<T extends object>(original: T, replaced: Readonly<Record<string | symbol, unknown>>): T {
  return new Proxy(original, {
    get(target, property) {
      if (Object.hasOwn(replaced, property)) return replaced[property];
      const value: unknown = Reflect.get(target, property);
      return value instanceof Function ? (value.bind(target) as unknown) : value;
    },
  });
}
