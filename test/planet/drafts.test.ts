/** Files that come in parts, over restarts and broken connections: three peers, 2+1. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import type { Session } from '../../src/catalog/catalog.js';
import { toHex } from '../../src/bytes.js';
import type { FileId, VersionId } from '../../src/chunk/ids.js';
import { appendToDraft } from '../../src/file/draft/append.js';
import type { DraftHead, DraftId } from '../../src/file/draft/draft.js';
import { finishDraft } from '../../src/file/draft/finish.js';
import { discardDraft } from '../../src/file/draft/give-up.js';
import { keepHouse } from '../../src/file/keep-house.js';
import { putFiles, type PutFile, type PutResult } from '../../src/file/put.js';
import type { BegunDraft } from '../../src/file/put-file.js';
import { DRAFT_LIFETIME_MS, DRAFT_MIN_BYTES, MAX_DRAFTS } from '../../src/limits.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, type Desk, localSource, paths, read } from './files.js';
import { PASSPHRASE, Planet } from './planet.js';

const MIB = 1024 * 1024;
const MODIFIED_MS = 1_700_000_000_000;

async function* pieces(bytes: Uint8Array, options: { readonly breakAt?: number } = {}): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) {
    if (options.breakAt !== undefined && at >= options.breakAt) throw new Error('the line is cut');
    yield bytes.subarray(at, at + 100_000);
  }
}

function headOf(path: string, bytes: number, overwrite = true): DraftHead {
  return {
    path,
    bytes,
    modifiedMs: MODIFIED_MS,
    mode: 0o600,
    file: toHex(randomBytes(16)) as FileId,
    version: toHex(randomBytes(16)) as VersionId,
    createdMs: Date.now(),
    origin: { kind: 'remote', source: 'a client', overwrite },
  };
}

/** What a client does who knows nothing but the id. */
class Uploader {
  readonly planet: Planet;
  readonly id: DraftId;

  constructor(planet: Planet, id: DraftId) {
    this.planet = planet;
    this.id = id;
  }

  static async begin(planet: Planet, head: DraftHead): Promise<Uploader> {
    const draft = await planet.engine.drafts.begin(planet.session, head);
    draft.release();
    return new Uploader(planet, draft.id);
  }

  append(offset: number, source: AsyncIterable<Uint8Array>, signal: AbortSignal = NEVER): Promise<number> {
    const { engine, session } = this.planet;
    return appendToDraft(engine, session, this.id, { offset, source, signal });
  }

  async offset(): Promise<number> {
    return (await this.planet.engine.drafts.look(this.planet.session, this.id)).offset;
  }

  async finish(): Promise<PutResult> {
    const { engine, session } = this.planet;
    await using draft = await engine.drafts.take(session, this.id);
    return await finishDraft(engine, session, draft);
  }
}

interface Told {
  readonly drafts: BegunDraft[];
  readonly stored: PutResult[];
  readonly failed: string[];
  progress: number;
}

/** A put of a local file as `shoal put` asks for it. */
async function putLocal(
  { engine, session }: Desk,
  { local, path, resume }: { readonly local: string; readonly path: string; readonly resume?: boolean },
  abortAfter = Infinity,
): Promise<Told> {
  const told: Told = { drafts: [], stored: [], failed: [], progress: 0 };
  const abort = new AbortController();
  const file: PutFile = {
    path,
    modifiedMs: MODIFIED_MS,
    mode: 0o640,
    source: await localSource(local),
    ...(resume !== undefined && { resume }),
  };
  const batches = (async function* () {
    yield [file];
  })();
  const putting = putFiles(engine, session, batches, {
    signal: abort.signal,
    onProgress: (bytes) => {
      told.progress += bytes;
      if (told.progress >= abortAfter) abort.abort(new Error('Ctrl-C'));
    },
    onDraft: (_file, draft) => told.drafts.push(draft),
    onStored: (_file, result) => told.stored.push(result),
    onFailed: (_file, error) => told.failed.push(error.code),
  });
  if (abortAfter === Infinity) await putting;
  else await assert.rejects(putting, /Ctrl-C/);
  return told;
}

describe('a large local file', () => {
  const bytes = seededBytes('large', DRAFT_MIN_BYTES + 3 * MIB + 17);
  let planet: Planet;
  let local: string;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    local = join(planet.folder, 'large');
    await writeFile(local, bytes);
  });
  after(() => planet[Symbol.asyncDispose]());

  it('goes on where its put was broken off, over a restart, and leaves nothing else behind', async () => {
    const first = await putLocal(planet, { local, path: '/large' }, 20 * MIB);
    assert.deepEqual(
      first.drafts.map(({ storedBytes, changed }) => ({ storedBytes, changed })),
      [{ storedBytes: 0, changed: false }],
    );
    assert.deepEqual(await paths(planet), []);
    await planet.restart(1);
    await keepHouse(planet.engine, planet.session, NEVER);
    await planet.deliver();
    const [left] = await planet.engine.drafts.list(planet.session);
    assert.ok(left !== undefined && left.storedBytes >= 10 * MIB && left.storedBytes < bytes.length);
    const second = await putLocal(planet, { local, path: '/large' });
    assert.deepEqual(second.failed, []);
    assert.equal(second.drafts[0]?.storedBytes, left.storedBytes);
    assert.equal(second.progress, bytes.length - left.storedBytes);
    assert.equal(second.stored[0]?.bytes, bytes.length);
    await assertStored(planet, '/large', bytes);
    assert.deepEqual(await planet.engine.drafts.list(planet.session), []);
    assert.equal(planet.engine.pinned.size, 0);
    const chunks = await planet.chunksOf('/large');
    // While there was no commit at all, the catalog could have been lost, and nothing was given back.
    await keepHouse(planet.engine, planet.session, NEVER);
    await planet.deliver();
    assert.deepEqual(planet.engine.outbox.intents(planet.session.user), []);
    const expected = chunks.reduce((sum, { stripe }) => sum + stripe.chunkBytes, 0);
    assert.equal(
      (await planet.usage()).reduce((sum, used) => sum + used, 0),
      expected,
    );
  });

  it('begins anew when the file is another by now, and gives back what was stored of it', async () => {
    const before = await planet.usage();
    await putLocal(planet, { local, path: '/changed' }, 20 * MIB);
    await utimes(local, new Date(), new Date(MODIFIED_MS - 5000));
    const second = await putLocal(planet, { local, path: '/changed' }, 20 * MIB);
    assert.deepEqual(
      second.drafts.map(({ storedBytes, changed }) => ({ storedBytes, changed })),
      [{ storedBytes: 0, changed: true }],
    );
    assert.equal((await planet.engine.drafts.list(planet.session)).length, 1);
    const third = await putLocal(planet, { local, path: '/changed', resume: false }, 20 * MIB);
    assert.deepEqual(third.drafts, []);
    assert.deepEqual(await planet.engine.drafts.list(planet.session), []);
    await keepHouse(planet.engine, planet.session, NEVER);
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });

  it('is given up when it changes while it is read', async () => {
    const { outbox } = planet.engine;
    const intend = outbox.intend.bind(outbox);
    outbox.intend = async (intent) => {
      outbox.intend = intend;
      await utimes(local, new Date(), new Date(MODIFIED_MS - 9000));
      await intend(intent);
    };
    const told = await putLocal(planet, { local, path: '/moving' });
    assert.deepEqual(told.failed, ['CONFLICT']);
    assert.deepEqual(await planet.engine.drafts.list(planet.session), []);
  });

  it('is stored once when the process ends between the commit and its note', async () => {
    const { catalog } = planet.engine;
    const commit = catalog.commit.bind(catalog);
    catalog.commit = async (...args) => {
      await commit(...args);
      throw new Error('no power');
    };
    const first = await putLocal(planet, { local, path: '/once' });
    assert.deepEqual(first.failed, ['INTERNAL']);
    await planet.restart(1);
    const second = await putLocal(planet, { local, path: '/once' });
    assert.equal(second.progress, 0);
    assert.equal(second.stored.length, 1);
    assert.equal((await planet.engine.catalog.versions(planet.session, '/once')).length, 1);
    await assertStored(planet, '/once', bytes);
    assert.deepEqual(await planet.engine.drafts.list(planet.session), []);
  });
});

describe('a draft', () => {
  const bytes = seededBytes('parts', 21 * MIB + 5);
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
  });
  after(() => planet[Symbol.asyncDispose]());

  it('comes in parts of any length, over restarts, and nobody sees it before it is whole', async () => {
    const upload = await Uploader.begin(planet, headOf('/parts', bytes.length));
    assert.equal(await upload.append(0, pieces(bytes.subarray(0, 9 * MIB + 1))), 9 * MIB + 1);
    await assert.rejects(upload.append(0, pieces(bytes)), { code: 'CONFLICT' });
    await planet.restart(1);
    assert.equal(await upload.offset(), 9 * MIB + 1);
    assert.deepEqual(await paths(planet), []);
    // What came before the line was cut is kept, though it fills no stripe.
    const rest = bytes.subarray(9 * MIB + 1);
    await assert.rejects(upload.append(9 * MIB + 1, pieces(rest, { breakAt: 500_000 })), /the line is cut/);
    assert.equal(await upload.offset(), 9 * MIB + 1 + 500_000);
    await assert.rejects(upload.append(9 * MIB + 1 + 500_000, pieces(bytes)), { code: 'LIMIT_EXCEEDED' });
    const at = await upload.offset();
    assert.equal(await upload.append(at, pieces(bytes.subarray(at))), bytes.length);
    await keepHouse(planet.engine, planet.session, NEVER);
    assert.deepEqual(await paths(planet), []);
    const { version } = await upload.finish();
    await assertStored(planet, '/parts', bytes);
    const { modifiedMs, mode } = await planet.engine.catalog.stat(planet.session, '/parts');
    assert.deepEqual({ modifiedMs, mode }, { modifiedMs: MODIFIED_MS, mode: 0o600 });
    assert.equal((await planet.engine.drafts.finished(planet.session, upload.id))?.version, version);
    await assert.rejects(upload.offset(), { code: 'NOT_FOUND' });
    assert.equal(planet.engine.pinned.size, 0);
    const slice = await read(planet, '/parts', { from: 9 * MIB - 10, to: 9 * MIB + 600_000 });
    assert.ok(slice.equals(bytes.subarray(9 * MIB - 10, 9 * MIB + 600_000)));
  });

  it('is added to by one at a time', async () => {
    const upload = await Uploader.begin(planet, headOf('/two', MIB));
    let go = (): void => undefined;
    const waits = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow = (async function* () {
      yield bytes.subarray(0, 1000);
      await waits;
    })();
    const first = upload.append(0, slow);
    await assert.rejects(upload.append(0, pieces(bytes.subarray(0, 10))), { code: 'CONFLICT' });
    await assert.rejects(discardDraft(planet.engine, planet.session, upload.id), { code: 'CONFLICT' });
    go();
    assert.equal(await first, 1000);
    await discardDraft(planet.engine, planet.session, upload.id);
  });

  it('keeps whole stripes when its process is to end', async () => {
    const upload = await Uploader.begin(planet, headOf('/stop', bytes.length));
    const abort = new AbortController();
    const endless = (async function* () {
      yield* pieces(bytes.subarray(0, 20 * MIB));
      while ((await upload.offset()) === 0) {
        await nextTurn();
        yield new Uint8Array(0);
      }
      abort.abort(new Error('SIGTERM'));
    })();
    await assert.rejects(upload.append(0, endless, abort.signal), /SIGTERM/);
    const offset = await upload.offset();
    assert.ok(offset >= 7 * MIB, `${String(offset)} bytes`);
    await planet.restart(1);
    assert.equal(await upload.append(offset, pieces(bytes.subarray(offset))), bytes.length);
    await upload.finish();
    await assertStored(planet, '/stop', bytes);
  });

  it('asks the peers, when a process has left it, and takes again what they have lost', async () => {
    const upload = await Uploader.begin(planet, headOf('/lost', bytes.length));
    await upload.append(0, pieces(bytes.subarray(0, 20 * MIB)));
    const draft = await planet.engine.drafts.take(planet.session, upload.id);
    const [, second] = draft.rows({ from: 0, most: 2 }).map((row) => draft.open(row));
    draft.release();
    assert.ok(second !== undefined);
    const index = second.stripe.placement.findIndex((place) => place?.peer === planet.id(2));
    const chunk = second.stripe.chunks[index];
    assert.ok(chunk !== undefined);
    await planet.peer(2).store.delete(planet.session.user, [chunk], { signal: NEVER });
    // Where it began, the same process knows of no reason to ask.
    await assert.rejects(upload.append(0, pieces(bytes)), /goes on at byte 20971520/);
    await planet.restart(1);
    await assert.rejects(upload.append(20 * MIB, pieces(bytes.subarray(20 * MIB))), { code: 'CONFLICT' });
    assert.equal(await upload.offset(), second.fileOffset);
    await upload.append(second.fileOffset, pieces(bytes.subarray(second.fileOffset)));
    await upload.finish();
    await assertStored(planet, '/lost', bytes);
  });

  it('gives its space back when it is given up', async () => {
    await keepHouse(planet.engine, planet.session, NEVER);
    await planet.deliver();
    const before = await planet.usage();
    const upload = await Uploader.begin(planet, headOf('/given-up', bytes.length));
    await upload.append(0, pieces(bytes.subarray(0, 18 * MIB)));
    const full = await planet.usage();
    assert.ok(
      full.every((used, i) => used > (before[i] ?? 0)),
      'chunks lie at every peer',
    );
    await discardDraft(planet.engine, planet.session, upload.id);
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
    assert.deepEqual(planet.engine.outbox.intents(planet.session.user), []);
    await assert.rejects(upload.offset(), { code: 'NOT_FOUND' });
  });

  it('goes on after the keys of its user were rotated', async () => {
    const upload = await Uploader.begin(planet, headOf('/rotated', bytes.length));
    await upload.append(0, pieces(bytes.subarray(0, 9 * MIB)));
    let state = 'running';
    for await (const rotation of planet.engine.catalog.rotateKeys(planet.session, PASSPHRASE)) state = rotation.state;
    assert.equal(state, 'none');
    await planet.restart(1);
    assert.equal(planet.session.generation, 2);
    assert.equal((await planet.engine.drafts.list(planet.session)).length, 1);
    await upload.append(9 * MIB, pieces(bytes.subarray(9 * MIB)));
    await upload.finish();
    await assertStored(planet, '/rotated', bytes);
  });

  it('is its owner’s alone', async () => {
    const upload = await Uploader.begin(planet, headOf('/mine', MIB));
    await planet.engine.catalog.createUser('other', PASSPHRASE);
    const other: Session = await planet.engine.catalog.unlock('other', PASSPHRASE);
    const { engine } = planet;
    const none = { code: 'NOT_FOUND' };
    await assert.rejects(engine.drafts.look(other, upload.id), none);
    await assert.rejects(engine.drafts.take(other, upload.id), none);
    await assert.rejects(discardDraft(engine, other, upload.id), none);
    assert.deepEqual(await engine.drafts.list(other), []);
    await engine.catalog.lock(other);
    await assert.rejects(engine.drafts.begin(other, headOf('/locked', 1)), { code: 'LOCKED' });
    await discardDraft(engine, planet.session, upload.id);
  });

  it('is refused where there are too many, and where its path must be free and is not', async () => {
    const free = await Uploader.begin(planet, headOf('/parts', 0, false));
    await assert.rejects(free.finish(), { code: 'ALREADY_EXISTS' });
    const begun = [free];
    await assert.rejects(
      async () => {
        for (;;) begun.push(await Uploader.begin(planet, headOf('/many', 1)));
      },
      { code: 'LIMIT_EXCEEDED' },
    );
    assert.equal(begun.length, MAX_DRAFTS);
    for (const { id } of begun) await discardDraft(planet.engine, planet.session, id);
  });

  it('expires, and not while parts come', async () => {
    await keepHouse(planet.engine, planet.session, NEVER);
    await planet.deliver();
    const before = await planet.usage();
    const old = await Uploader.begin(planet, headOf('/old', bytes.length));
    const busy = await Uploader.begin(planet, headOf('/busy', bytes.length));
    await old.append(0, pieces(bytes.subarray(0, MIB)));
    await busy.append(0, pieces(bytes.subarray(0, MIB)));
    await planet.passTime(DRAFT_LIFETIME_MS - 3_600_000);
    await busy.append(MIB, pieces(bytes.subarray(MIB, 2 * MIB)));
    await planet.passTime(7_200_000);
    await keepHouse(planet.engine, planet.session, NEVER);
    await assert.rejects(old.offset(), { code: 'NOT_FOUND' });
    assert.equal(await busy.offset(), 2 * MIB);
    await discardDraft(planet.engine, planet.session, busy.id);
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });
});
