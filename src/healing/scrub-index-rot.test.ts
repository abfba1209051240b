import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { CodedNetwork } from '../../test/contract/coded-network.js';
import { NEVER, readChunk, temporaryFolder } from '../../test/contract/offer.js';
import { idBytes, type ChunkId } from '../chunk/ids.js';
import { ScrubCount } from '../counts.js';
import { StorageError } from '../errors.js';
import { silentLogger } from '../log.js';
import { INDEX_FILE } from '../store/chunk-index.js';
import { DiskStore } from '../store/disk-store.js';
import { snapshot } from './scrub-report.js';
import { Scrub } from './scrub.js';

/** Lies in SQLite. */
const SMALL_BYTES = 3_000;

interface Stage {
  readonly directory: string;
  readonly network: CodedNetwork;
  readonly id: ChunkId;
}

/** A store, closed, with one small chunk of a stripe whose others are elsewhere. */
async function openStage(context: TestContext): Promise<Stage> {
  const directory = await temporaryFolder(context);
  const store = await DiskStore.open({ directory });
  const network = await CodedNetwork.open({ own: store, k: 2, m: 1, chunkBytes: SMALL_BYTES });
  await store.close();
  const [id] = network.record.chunks;
  assert.ok(id !== undefined);
  return { directory, network, id };
}

function positionsOf(bytes: Buffer, wanted: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) found.push(at);
  return found;
}

/** Scrubs until nothing is left to be mended, twice. @returns whether the store opened */
async function mend(directory: string, { network, id }: Stage): Promise<boolean> {
  let store: DiskStore;
  try {
    store = await DiskStore.open({ directory });
  } catch (error) {
    assert.ok(StorageError.is(error, 'CORRUPT'), String(error));
    return false;
  }
  const count = new ScrubCount();
  const parts = { network: network.withOwn(store), store, count, clock: Date.now, logger: silentLogger() };
  const scrub = new Scrub({ ...parts, days: 30, bytesPerSecond: 0 });
  try {
    await scrub.run({ signal: NEVER });
    assert.deepEqual(scrub.state().damages, []);
    const before = snapshot(count);
    await scrub.run({ signal: NEVER });
    assert.deepEqual([count.healedChunks, count.mendedRows], [before.healedChunks, before.mendedRows], 'mended once');
    assert.deepEqual(await readChunk(store, id), Buffer.from(network.chunks[0] ?? []));
    const { label } = await store.get(id, { signal: NEVER });
    assert.deepEqual(label, network.record.label);
    return true;
  } finally {
    await scrub.close();
    await store.close();
  }
}

describe('a bit that flips in a chunk index', () => {
  for (const what of ['the id of a chunk', 'the name of its owner', 'its label'] as const) {
    it(`within ${what}, wherever that is written: the scrub mends it`, async (context) => {
      const stage = await openStage(context);
      const { record } = stage.network;
      const wanted = { 'the id of a chunk': idBytes(stage.id), 'the name of its owner': idBytes(record.owner) };
      const whole = await readFile(join(stage.directory, INDEX_FILE));
      const positions = positionsOf(whole, what === 'its label' ? record.label : wanted[what]);
      assert.ok(positions.length > 0);
      let opened = 0;
      for (const [index, position] of positions.entries()) {
        const directory = await temporaryFolder(context);
        await cp(stage.directory, directory, { recursive: true });
        const rotten = Buffer.from(whole);
        rotten[position + 5] = (rotten[position + 5] ?? 0) ^ 4;
        await writeFile(join(directory, INDEX_FILE), rotten);
        await context.test(`place ${String(index + 1)} of ${String(positions.length)}`, async () => {
          if (await mend(directory, stage)) opened++;
        });
      }
      assert.ok(opened > 0);
    });
  }
});
