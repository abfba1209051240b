import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { MAX_CHUNK_BYTES } from '../../src/limits.js';
import { StorageError } from '../../src/errors.js';
import { DiskStore } from '../../src/store/disk-store.js';
import { NEVER, offerOf, OWNER, putOffer, readChunk, temporaryFolder } from '../contract/offer.js';
import { needs } from '../needs.js';

const DISK_MIB = 24;

/** A small file system of its own; undefined where this user may not mount one. */
async function mountSmallDisk(context: TestContext): Promise<string | undefined> {
  const folder = await temporaryFolder(context);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(DISK_MIB)}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    context.skip('mounting a tmpfs takes root');
    return undefined;
  }
  return folder;
}

/** Lazily, for the driver of SQLite closes its file only when its last statement is garbage-collected. */
function unmount(folder: string): void {
  execFileSync('umount', ['--lazy', folder]);
}

type Offer = ReturnType<typeof offerOf>;

/** Puts chunks until the disk is full. @returns those that were stored */
async function fill(store: DiskStore, bytes: number): Promise<Offer[]> {
  const stored: Offer[] = [];
  for (;;) {
    const offer = offerOf(bytes);
    try {
      await putOffer(store, offer);
    } catch (error) {
      assert.ok(StorageError.is(error, 'NO_SPACE'), String(error));
      await assert.rejects(readChunk(store, offer.header.id), { code: 'NOT_FOUND' });
      return stored;
    }
    stored.push(offer);
  }
}

async function assertIntact(store: DiskStore, offers: readonly Offer[]): Promise<void> {
  for (const { header, content } of offers) assert.ok((await readChunk(store, header.id)).equals(content));
}

describe('a disk that is full', needs('mount', 'umount'), () => {
  it('refuses early and keeps the reserve', async (context) => {
    const folder = await mountSmallDisk(context);
    if (folder === undefined) return;
    try {
      const reserveBytes = 6 * 1024 * 1024;
      await using store = await DiskStore.open({ directory: join(folder, 'store'), reserveBytes });
      const stored = await fill(store, MAX_CHUNK_BYTES);
      assert.ok(stored.length > 1);
      assert.ok((await store.usage()).freeBytes >= reserveBytes);
      await assertIntact(store, stored);
    } finally {
      unmount(folder);
    }
  });

  it('while it writes: NO_SPACE, nothing left behind, nothing stored harmed, room after a delete', async (context) => {
    const folder = await mountSmallDisk(context);
    if (folder === undefined) return;
    try {
      const directory = join(folder, 'store');
      // As when another program takes the space between the check and the write.
      const options = { directory, reserveBytes: 0, freeBytes: async () => 2 ** 40 };
      const stored: Offer[] = [];
      {
        await using store = await DiskStore.open(options);
        stored.push(...(await fill(store, MAX_CHUNK_BYTES)));
        assert.deepEqual(await readdir(join(directory, 'partial')), []);
        assert.equal((await store.usage()).partialBytes, 0);
        await assertIntact(store, stored);
        stored.push(...(await fill(store, 60_000)));
        await assertIntact(store, stored);
        const [victim] = stored.splice(0, 1);
        assert.ok(victim);
        await store.delete(OWNER, [victim.header.id], { signal: NEVER });
        const next = offerOf(MAX_CHUNK_BYTES / 2);
        await putOffer(store, next);
        stored.push(next);
      }
      await using store = await DiskStore.open(options);
      await assertIntact(store, stored);
    } finally {
      unmount(folder);
    }
  });

  it('filled by somebody else to the last byte: what is stored stays readable', async (context) => {
    const folder = await mountSmallDisk(context);
    if (folder === undefined) return;
    try {
      await using store = await DiskStore.open({ directory: join(folder, 'store'), reserveBytes: 0 });
      const stored = [offerOf(500), offerOf(MAX_CHUNK_BYTES)];
      for (const offer of stored) await putOffer(store, offer);
      await assert.rejects(writeFile(join(folder, 'filler'), Buffer.alloc(DISK_MIB * 1024 * 1024)), { code: 'ENOSPC' });
      await assert.rejects(putOffer(store, offerOf(MAX_CHUNK_BYTES)), { code: 'NO_SPACE' });
      await assert.rejects(putOffer(store, offerOf(30_000)), { code: 'NO_SPACE' });
      await assertIntact(store, stored);
    } finally {
      unmount(folder);
    }
  });
});
