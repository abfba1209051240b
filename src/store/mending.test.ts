import assert from 'node:assert/strict';
import { mkdir, open, readdir, rename, rm, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { NEVER, offerOf, OWNER, putOffer, readChunk, temporaryFolder } from '../../test/contract/offer.js';
import { segmentsOf } from '../chunk/chunk-store.js';
import { idBytes, type ChunkId } from '../chunk/ids.js';
import type { Segment } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { SEGMENT_BYTES } from '../limits.js';
import { AlignedMemory } from './aligned-memory.js';
import { DiskStore } from './disk-store.js';
import { unsoundSegments } from './segment-reader.js';
import { openNative, type SqlValue } from './sqlite-driver.js';

const OPTIONS = { signal: NEVER };
const LARGE = offerOf(5 * SEGMENT_BYTES + 77);
const SMALL = offerOf(3_000);

class Stage {
  readonly directory: string;
  store: DiskStore;
  nowMs = 1_000_000;

  constructor(directory: string, store: DiskStore) {
    this.directory = directory;
    this.store = store;
  }

  static async open(context: TestContext, ...offers: ReturnType<typeof offerOf>[]): Promise<Stage> {
    const directory = await temporaryFolder(context);
    const now: { stage?: Stage } = {};
    const clock = (): number => now.stage?.nowMs ?? 1_000_000;
    const stage = new Stage(directory, await DiskStore.open({ directory, clock }));
    now.stage = stage;
    context.after(() => stage.store.close());
    for (const offer of offers) await putOffer(stage.store, offer);
    return stage;
  }

  path(id: ChunkId): string {
    return join(this.directory, 'chunks', id.slice(0, 2), id);
  }

  async flip(id: ChunkId, ...positions: readonly number[]): Promise<void> {
    const file = await open(this.path(id), 'r+');
    for (const position of positions) {
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, position);
      await file.write(Buffer.of((byte[0] ?? 0) ^ 4), 0, 1, position);
    }
    await file.close();
  }

  /** Alters the index behind the store's back, as rot in it would. */
  async alter(sql: string, ...values: readonly SqlValue[]): Promise<void> {
    await this.store.close();
    const database = await openNative(join(this.directory, 'index.sqlite'));
    database.prepare(sql).run(...values);
    database.close();
    this.store = await DiskStore.open({ directory: this.directory, clock: () => this.nowMs });
  }

  async look(id: ChunkId): Promise<unknown> {
    const found = await this.store.mending.inspect(id, OPTIONS);
    return found && [found.fault, found.wrong];
  }
}

async function segmentsFrom(content: Uint8Array, ...indices: number[]): Promise<Segment[]> {
  const segments: Segment[] = [];
  for await (const segment of segmentsOf(content, SEGMENT_BYTES)(indices)) segments.push(segment);
  return segments;
}

describe('a store that is inspected', () => {
  const { id } = LARGE.header;

  it('finds nothing wrong with what is right, and says what it read', async (context) => {
    const { store } = await Stage.open(context, LARGE, SMALL);
    for (const { header } of [LARGE, SMALL]) {
      const found = await store.mending.inspect(header.id, OPTIONS);
      assert.deepEqual(found, {
        id: header.id,
        readBytes: header.bytes,
        shape: { bytes: header.bytes, segmentBytes: header.segmentBytes, hashes: header.hashes },
        claims: [{ owner: OWNER, label: Uint8Array.from(header.label) }],
        fault: undefined,
        wrong: [],
      });
    }
    assert.equal(await store.mending.inspect(offerOf(9).header.id, OPTIONS), undefined);
  });

  it('names each segment in which a bit has flipped, the short last one too', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await stage.flip(id, 2 * SEGMENT_BYTES, 4 * SEGMENT_BYTES - 1, 5 * SEGMENT_BYTES + 76);
    assert.deepEqual(await stage.look(id), ['rotten', [2, 3, 5]]);
  });

  it('tells a file that is cut off from one that is gone, and from one that is too long', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await writeFile(stage.path(id), 'more', { flag: 'a' });
    assert.deepEqual(await stage.look(id), ['too-long', []]);
    await truncate(stage.path(id), 4 * SEGMENT_BYTES + 1);
    assert.deepEqual(await stage.look(id), ['cut-off', [4, 5]]);
    await unlink(stage.path(id));
    assert.deepEqual(await stage.look(id), ['missing', [0, 1, 2, 3, 4, 5]]);
  });

  it('sees rot, cuts and loss of a small chunk in its row', async (context) => {
    const stage = await Stage.open(context, SMALL);
    const key = idBytes(SMALL.header.id);
    const altered = Uint8Array.from(SMALL.content, (byte, at) => (at === 9 ? byte ^ 1 : byte));
    await stage.alter('UPDATE contents SET bytes = ? WHERE chunk = ?', altered, key);
    assert.deepEqual(await stage.look(SMALL.header.id), ['rotten', [0]]);
    await stage.alter('UPDATE contents SET bytes = ? WHERE chunk = ?', SMALL.content.subarray(0, 100), key);
    assert.deepEqual(await stage.look(SMALL.header.id), ['cut-off', [0]]);
    await stage.alter('DELETE FROM contents WHERE chunk = ?', key);
    assert.deepEqual(await stage.look(SMALL.header.id), ['missing', [0]]);
  });

  it('says when the hash list is damaged, and knows it again by the file', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await stage.alter('UPDATE chunks SET hashes = ? WHERE id = ?', new Uint8Array(6 * 32), idBytes(id));
    assert.deepEqual(await stage.look(id), ['hashes', []]);
    const shape = await stage.store.mending.recognise(id, OPTIONS);
    assert.ok(shape !== undefined);
    await assert.rejects(stage.store.mending.reshape(id, { ...shape, bytes: 5 }, OPTIONS), { code: 'CORRUPT' });
    await stage.store.mending.reshape(id, shape, OPTIONS);
    assert.deepEqual(await stage.look(id), [undefined, []]);
    await stage.flip(id, 1);
    assert.equal(await stage.store.mending.recognise(id, OPTIONS), undefined);
  });

  it('takes in anew what has a damaged row, file and all', async (context) => {
    for (const offer of [LARGE, SMALL]) {
      const stage = await Stage.open(context, offer);
      const key = idBytes(offer.header.id);
      await stage.alter('UPDATE chunks SET hashes = ? WHERE id = ?', new Uint8Array(offer.header.hashes.length), key);
      assert.equal((await putOffer(stage.store, offer)).existed, false);
      assert.deepEqual(await stage.look(offer.header.id), [undefined, []]);
      assert.ok((await readChunk(stage.store, offer.header.id)).equals(offer.content));
    }
    const stage = await Stage.open(context, SMALL);
    const key = idBytes(SMALL.header.id);
    await stage.alter('UPDATE contents SET bytes = ? WHERE chunk = ?', SMALL.content.subarray(0, 9), key);
    assert.equal((await putOffer(stage.store, SMALL)).existed, false);
    assert.ok((await readChunk(stage.store, SMALL.header.id)).equals(SMALL.content));
  });

  it('reads a chunk without any claim, whose label is lost', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await stage.alter('DELETE FROM claims');
    assert.deepEqual((await stage.store.mending.inspect(id, OPTIONS))?.claims, []);
    assert.ok((await readChunk(stage.store, id)).equals(LARGE.content));
    assert.deepEqual(stage.store.mending.scrubs.claims(id), []);
    const label = Uint8Array.of(1, 2, 3);
    await stage.store.mending.scrubs.relabel(id, { owner: OWNER, label });
    assert.deepEqual((await stage.store.get(id, OPTIONS)).label, label);
    assert.equal(stage.store.mending.scrubs.claims(id).length, 1);
  });

  it('goes on around a place that the disk cannot read', async () => {
    const { header, content } = offerOf(20 * SEGMENT_BYTES);
    const bad = 9 * SEGMENT_BYTES + 5;
    const handle = {
      stat: async () => ({ size: content.length }),
      read: async (into: Uint8Array, offset: number, length: number, position: number) => {
        if (position <= bad && bad < position + length) {
          throw Object.assign(new Error('i/o error'), { code: 'EIO' });
        }
        const part = content.subarray(position, position + length);
        into.set(part, offset);
        return { bytesRead: part.length, buffer: into };
      },
    };
    const reading = { handle: handle as never, shape: header, memory: new AlignedMemory() };
    assert.deepEqual(await unsoundSegments(reading), [9]);
  });
});

describe('a store that is mended', () => {
  const { id } = LARGE.header;

  it('writes only what is given, and leaves the rest alone', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await stage.flip(id, 7, 3 * SEGMENT_BYTES, 5 * SEGMENT_BYTES + 76);
    await stage.store.mending.mend(id, await segmentsFrom(LARGE.content, 3), OPTIONS);
    assert.deepEqual(await stage.look(id), ['rotten', [0, 5]]);
    await stage.store.mending.mend(id, await segmentsFrom(LARGE.content, 0, 5), OPTIONS);
    assert.deepEqual(await stage.look(id), [undefined, []]);
    assert.ok((await readChunk(stage.store, id)).equals(LARGE.content));
    assert.equal((await stat(stage.path(id))).size, LARGE.content.length);
  });

  it('makes a file that was cut off whole, and cuts one that is too long', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await truncate(stage.path(id), 4 * SEGMENT_BYTES + 1);
    await stage.store.mending.mend(id, await segmentsFrom(LARGE.content, 4, 5), OPTIONS);
    assert.deepEqual(await stage.look(id), [undefined, []]);
    await writeFile(stage.path(id), 'more', { flag: 'a' });
    await stage.store.mending.mend(id, [], OPTIONS);
    assert.deepEqual(await stage.look(id), [undefined, []]);
  });

  it('takes no byte that is not the chunk’s, and then has changed nothing', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await stage.flip(id, 7, 3 * SEGMENT_BYTES);
    const [good] = await segmentsFrom(LARGE.content, 0);
    assert.ok(good !== undefined);
    const wrong = { index: 3, bytes: new Uint8Array(SEGMENT_BYTES) };
    await assert.rejects(stage.store.mending.mend(id, [good, wrong], OPTIONS), { code: 'CORRUPT' });
    assert.deepEqual(await stage.look(id), ['rotten', [0, 3]]);
  });

  it('fills the row of a small chunk again, and only whole', async (context) => {
    const stage = await Stage.open(context, SMALL);
    const { id: small } = SMALL.header;
    for (const sql of ['UPDATE contents SET bytes = zeroblob(3000)', 'DELETE FROM contents']) {
      await stage.alter(sql);
      await assert.rejects(stage.store.mending.mend(small, [], OPTIONS), { code: 'CORRUPT' });
      await stage.store.mending.mend(small, await segmentsFrom(SMALL.content, 0), OPTIONS);
      assert.ok((await readChunk(stage.store, small)).equals(SMALL.content));
    }
  });

  it('refuses a chunk that is not here, or whose file is gone', async (context) => {
    const stage = await Stage.open(context, LARGE);
    const segments = await segmentsFrom(LARGE.content, 0);
    await unlink(stage.path(id));
    await assert.rejects(stage.store.mending.mend(id, segments, OPTIONS), { code: 'NOT_FOUND' });
    await stage.store.delete(OWNER, [id], OPTIONS);
    await assert.rejects(stage.store.mending.mend(id, segments, OPTIONS), { code: 'NOT_FOUND' });
    await assert.rejects(readdir(stage.path(id)), { code: 'ENOENT' });
  });

  it('stays mended when it is opened anew', async (context) => {
    const stage = await Stage.open(context, LARGE);
    await stage.flip(id, 7);
    await stage.store.mending.mend(id, await segmentsFrom(LARGE.content, 0), OPTIONS);
    await stage.store.close();
    stage.store = await DiskStore.open({ directory: stage.directory });
    assert.deepEqual(await stage.look(id), [undefined, []]);
  });
});

describe('chunk files without a row', () => {
  const { id } = LARGE.header;

  async function straysOf({ store }: Stage): Promise<ChunkId[]> {
    const found: ChunkId[] = [];
    for await (const stray of store.mending.strays(OPTIONS)) found.push(stray.id);
    return found;
  }

  /** The row is gone, the file is there. */
  async function stray(context: TestContext): Promise<Stage> {
    const stage = await Stage.open(context, LARGE, SMALL);
    await stage.alter('DELETE FROM claims WHERE chunk = ?', idBytes(id));
    await stage.alter('DELETE FROM chunks WHERE id = ?', idBytes(id));
    // Rot does not fire the trigger that counts.
    await stage.alter('UPDATE totals SET chunks = chunks + 1, bytes = bytes + ?', LARGE.content.length);
    return stage;
  }

  it('are found, and nothing else is', async (context) => {
    const stage = await stray(context);
    await writeFile(join(stage.directory, 'chunks', 'notes.txt'), 'x');
    await writeFile(join(stage.directory, 'chunks', id.slice(0, 2), 'notes.txt'), 'x');
    await mkdir(join(stage.directory, 'chunks', 'zz'));
    await putOffer(stage.store, offerOf(2 * SEGMENT_BYTES));
    assert.deepEqual(await straysOf(stage), [id]);
  });

  it('are taken up again when they are what their name says', async (context) => {
    const stage = await stray(context);
    const claim = { owner: OWNER, label: LARGE.header.label };
    assert.equal(await stage.store.mending.adopt(id, claim, OPTIONS), LARGE.content.length);
    assert.ok((await readChunk(stage.store, id)).equals(LARGE.content));
    assert.deepEqual(await straysOf(stage), []);
    assert.equal(await stage.store.mending.adopt(id, claim, OPTIONS), undefined);
    await stage.store.mending.scrubs.recount();
    assert.equal((await stage.store.usage()).bytes, LARGE.content.length + SMALL.content.length);
  });

  it('are not taken up when a bit of them is wrong, or they are another’s', async (context) => {
    const stage = await stray(context);
    const claim = { owner: OWNER, label: LARGE.header.label };
    await stage.flip(id, 100);
    assert.equal(await stage.store.mending.adopt(id, claim, OPTIONS), undefined);
    await truncate(stage.path(id), 0);
    assert.equal(await stage.store.mending.adopt(id, claim, OPTIONS), undefined);
    await rm(stage.path(id));
    assert.equal(await stage.store.mending.adopt(id, claim, OPTIONS), undefined);
    assert.equal(await stage.look(id), undefined);
  });

  it('are removed when asked, but a chunk with a row is not', async (context) => {
    const stage = await stray(context);
    await stage.store.mending.removeStray(id, OPTIONS);
    assert.deepEqual(await straysOf(stage), []);
    await putOffer(stage.store, LARGE);
    await stage.store.mending.removeStray(id, OPTIONS);
    assert.ok((await readChunk(stage.store, id)).equals(LARGE.content));
  });

  it('say when they were last changed', async (context) => {
    const stage = await stray(context);
    const path = stage.path(id);
    await utimes(path, new Date(1_000), new Date(1_000));
    // Renaming counts, too: the file may just have come.
    await rename(path, `${path}.x`);
    await rename(`${path}.x`, path);
    const ages: number[] = [];
    for await (const { changedMs } of stage.store.mending.strays(OPTIONS)) ages.push(Date.now() - changedMs);
    assert.ok(ages.length === 1 && ages.every((ageMs) => ageMs < 60_000), ages.join(', '));
  });
});

describe('what scrubbing keeps in the index', () => {
  it('begins with the time of arrival, and goes with the chunk', async (context) => {
    const stage = await Stage.open(context);
    const offers = [offerOf(10), offerOf(2 * SEGMENT_BYTES), offerOf(30)];
    for (const [at, offer] of offers.entries()) {
      stage.nowMs = 1_000 * (at + 1);
      await putOffer(stage.store, offer);
    }
    const { scrubs } = stage.store.mending;
    const ids = offers.map(({ header }) => header.id);
    const [first, second, third] = ids;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    const order = (): ChunkId[] => scrubs.oldest(Number.MAX_SAFE_INTEGER, 10).map((due) => due.id);
    assert.deepEqual(order(), ids);
    assert.deepEqual(scrubs.oldest(2_000, 10), [{ id: first, bytes: 10, readMs: 1_000 }]);
    scrubs.noteRead(first, 5_000);
    assert.deepEqual(order(), [second, third, first]);
    scrubs.noteRead(third, 0);
    assert.deepEqual(scrubs.oldest(Number.MAX_SAFE_INTEGER, 1), [{ id: third, bytes: 30, readMs: 0 }]);
    scrubs.forgetFuture(4_000);
    assert.equal(scrubs.oldest(1, 10).length, 2);
    await stage.store.delete(OWNER, [third], OPTIONS);
    assert.deepEqual(order().length, 2);
    assert.equal(scrubs.oldestReadMs(), 0);
  });

  it('remembers damage with its tries, until it is mended or deleted', async (context) => {
    const stage = await Stage.open(context, LARGE);
    const { scrubs } = stage.store.mending;
    const { id } = LARGE.header;
    const note = { id, stripe: undefined, reason: 'Too few.', foundMs: 10, nextTryMs: 20 };
    scrubs.noteDamage(note);
    scrubs.noteDamage({ ...note, reason: 'Still too few.', foundMs: 30, nextTryMs: 50 });
    const known = { ...note, reason: 'Still too few.', tries: 2, nextTryMs: 50 };
    assert.deepEqual(scrubs.damages(9), [known]);
    assert.deepEqual([scrubs.dueDamages(49, 9), scrubs.dueDamages(50, 9)], [[], [known]]);
    assert.equal(scrubs.damageCount(), 1);
    await stage.store.delete(OWNER, [id], OPTIONS);
    assert.equal(scrubs.damageCount(), 0);
  });

  it('remembers who withdrew what, until the chunk comes again', async (context) => {
    const stage = await Stage.open(context, LARGE);
    const { scrubs } = stage.store.mending;
    const { id } = LARGE.header;
    assert.equal(scrubs.isWithdrawn(OWNER, id), false);
    await stage.store.delete(OWNER, [id], OPTIONS);
    assert.equal(scrubs.isWithdrawn(OWNER, id), true);
    await putOffer(stage.store, LARGE);
    assert.equal(scrubs.isWithdrawn(OWNER, id), false);
    await stage.store.delete(OWNER, [id], OPTIONS);
    scrubs.forgetWithdrawals(stage.nowMs + 1);
    assert.equal(scrubs.isWithdrawn(OWNER, id), false);
  });

  it('remembers that an owner gave up a chunk that is missed here, and nothing of one that lies elsewhere', async (context) => {
    const stage = await Stage.open(context, LARGE, SMALL);
    const { scrubs } = stage.store.mending;
    const missed = offerOf(9).header.id;
    await stage.store.delete(OWNER, [missed], OPTIONS);
    assert.equal(scrubs.isWithdrawn(OWNER, missed), false, 'whoever asks cannot fill the disk with notes');
    scrubs.noteDamage({ id: missed, stripe: undefined, reason: 'Too few.', foundMs: 10, nextTryMs: 20 });
    await stage.store.delete(OWNER, [missed], OPTIONS);
    assert.deepEqual([scrubs.isWithdrawn(OWNER, missed), scrubs.damageCount()], [true, 0]);
    const moved = [LARGE.header.id, SMALL.header.id];
    await stage.store.drop(OWNER, moved, OPTIONS);
    for (const id of moved) {
      assert.deepEqual([stage.store.mending.has(id), scrubs.isWithdrawn(OWNER, id)], [false, false]);
    }
    assert.deepEqual(await readdir(join(stage.directory, 'chunks', LARGE.header.id.slice(0, 2))), []);
  });

  it('watches files that nothing wants for as long as nothing does', async (context) => {
    const stage = await Stage.open(context);
    const { scrubs } = stage.store.mending;
    const [one, other] = [offerOf(9).header.id, offerOf(9).header.id];
    assert.deepEqual([...(await scrubs.watchStrays([one], 10))], [[one, 10]]);
    assert.deepEqual(
      [...(await scrubs.watchStrays([one, other], 20))].sort(),
      [
        [one, 10],
        [other, 20],
      ].sort(),
    );
    assert.deepEqual([...(await scrubs.watchStrays([other], 30))], [[other, 20]]);
    assert.deepEqual(
      [...(await scrubs.watchStrays([one], 5))],
      [[one, 5]],
      'wanted meanwhile, and the clock was turned',
    );
  });

  it('is told by a read that found damage', async (context) => {
    const stage = await Stage.open(context, LARGE);
    const { id } = LARGE.header;
    await truncate(stage.path(id), 5);
    assert.equal(stage.store.mending.scrubs.oldestReadMs(), stage.nowMs);
    await assert.rejects(readChunk(stage.store, id), (error) => StorageError.is(error, 'CORRUPT'));
    const { scrubs } = stage.store.mending;
    assert.equal(scrubs.oldestReadMs(), 0);
    scrubs.noteRead(id, 7);
    scrubs.noteDamage({ id, stripe: undefined, reason: 'Too few.', foundMs: 10, nextTryMs: 20 });
    await assert.rejects(readChunk(stage.store, id), (error) => StorageError.is(error, 'CORRUPT'));
    assert.equal(scrubs.oldestReadMs(), 7, 'what could not be mended has a next try of its own');
  });

  it('knows a store of before: all of its chunks are to be read', async (context) => {
    const stage = await Stage.open(context, LARGE);
    for (const table of ['scrubs', 'damages', 'withdrawals', 'strays', 'surveys']) {
      await stage.store.close();
      const database = await openNative(join(stage.directory, 'index.sqlite'));
      database.prepare(`DROP TABLE ${table}`).run();
      if (table === 'surveys') database.prepare('PRAGMA user_version = 1').run();
      database.close();
      if (table === 'surveys') stage.store = await DiskStore.open({ directory: stage.directory });
    }
    assert.deepEqual(stage.store.mending.scrubs.oldest(1, 9), [
      { id: LARGE.header.id, bytes: LARGE.content.length, readMs: 0 },
    ]);
  });
});
