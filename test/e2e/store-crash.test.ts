import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { segmentsOf } from '../../src/chunk/chunk-store.js';
import { parseChunkId, type ChunkId } from '../../src/chunk/ids.js';
import { SEGMENT_BYTES, SMALL_CHUNK_BYTES } from '../../src/limits.js';
import { DiskStore } from '../../src/store/disk-store.js';
import { NEVER, offerOf, readChunk, temporaryFolder } from '../contract/offer.js';
import { seededBytes, SeededNumbers } from './programs/seeded.js';

const WRITER = fileURLToPath(new URL('programs/store-writer.js', import.meta.url));
const KILLS = 25;
/** The kill falls anywhere within this time after the writer's store is open. */
const LIFE_MS = 150;
/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());

interface Promised {
  readonly bytes: number;
  readonly seed: string;
}

/** What writers said, in order, over all their lives. */
class Ledger {
  readonly stored = new Map<ChunkId, Promised>();
  /** The writer died in the middle of deleting them: they may be there or not. */
  readonly uncertain = new Set<ChunkId>();

  read(line: string): void {
    const [verb, id = '', bytes = '', seed = ''] = line.split(' ');
    if (verb === 'open') return;
    const chunk = parseChunkId(id);
    if (verb === 'put') this.stored.set(chunk, { bytes: Number(bytes), seed });
    if (verb === 'deleting') {
      this.stored.delete(chunk);
      this.uncertain.add(chunk);
    }
    if (verb === 'deleted') this.uncertain.delete(chunk);
  }
}

/** Runs a writer until the kill, and enters what it said. */
async function writeAndKill(directory: string, seed: string, lifeMs: number, ledger: Ledger): Promise<void> {
  const writer = spawn(process.execPath, [WRITER, directory, seed], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(writer, 'close') as Promise<[number | null, string | null]>;
  let said = '';
  writer.stdout.setEncoding('utf8');
  writer.stdout.on('data', (text: string) => {
    if (said === '') setTimeout(() => writer.kill('SIGKILL'), lifeMs);
    said += text;
  });
  const [exitCode, killedBy] = await closed;
  assert.equal(killedBy, 'SIGKILL', `the writer ended by itself with ${String(exitCode)}`);
  const lines = said.split('\n');
  // The kill may have cut the last line.
  for (const line of lines.slice(0, -1)) ledger.read(line);
}

/** Everything acknowledged is there and intact, and whatever else is visible is whole too. */
async function verify(store: DiskStore, ledger: Ledger): Promise<void> {
  const visible = new Set<ChunkId>();
  let bytes = 0;
  for await (const summary of store.list({ signal: NEVER })) {
    visible.add(summary.id);
    bytes += summary.bytes;
    const content = await readChunk(store, summary.id);
    assert.equal(offerOf(content).header.id, summary.id, 'what is visible is what its id says');
  }
  for (const [id, { bytes: length, seed }] of ledger.stored) {
    assert.ok(visible.has(id), `chunk ${id} of ${String(length)} bytes was acknowledged`);
    assert.ok((await readChunk(store, id)).equals(seededBytes(seed, length)));
  }
  const usage = await store.usage();
  assert.deepEqual({ chunks: usage.chunks, bytes: usage.bytes }, { chunks: visible.size, bytes });
}

/** Every file in chunks/ has its row. */
async function assertNoOrphans(directory: string, store: DiskStore): Promise<void> {
  const large = new Set<string>();
  for await (const { id, bytes } of store.list({ signal: NEVER })) if (bytes >= SMALL_CHUNK_BYTES) large.add(id);
  const folders = await readdir(join(directory, 'chunks'));
  const files = await Promise.all(folders.map((folder) => readdir(join(directory, 'chunks', folder))));
  assert.deepEqual(files.flat().sort(), [...large].sort());
}

describe(`a store whose process is killed again and again (SHOAL_TEST_SEED=${SEED})`, () => {
  it('loses nothing acknowledged, shows nothing by halves, leaves no stray file', async (context) => {
    const directory = await temporaryFolder(context);
    const numbers = new SeededNumbers(SEED);
    const ledger = new Ledger();
    for (let kill = 0; kill < KILLS; kill++) {
      await writeAndKill(directory, `${SEED} ${String(kill)}`, numbers.below(LIFE_MS), ledger);
      const store = await DiskStore.open({ directory, reserveBytes: 0 });
      await assertNoOrphans(directory, store);
      if (kill % 5 === 4) await verify(store, ledger);
      // The disk of a test is not endless, and a part of what was stored is enough to go on with.
      const surplus = [...ledger.stored.keys()].slice(60);
      await store.delete(offerOf(1).header.owner, surplus.slice(0, 1000), { signal: NEVER });
      for (const id of surplus.slice(0, 1000)) ledger.stored.delete(id);
      await store.close();
    }
    assert.ok(ledger.stored.size > 0, 'the writers got as far as storing something');
  });

  it('goes on with a chunk where the killed process stopped', async (context) => {
    const directory = await temporaryFolder(context);
    const content = seededBytes('resume', 24 * SEGMENT_BYTES);
    const program = `
      import { DiskStore } from ${JSON.stringify(new URL('../../src/store/disk-store.js', import.meta.url).href)};
      import { segmentsOf } from ${JSON.stringify(new URL('../../src/chunk/chunk-store.js', import.meta.url).href)};
      import { offerOf, NEVER } from ${JSON.stringify(new URL('../contract/offer.js', import.meta.url).href)};
      import { seededBytes } from ${JSON.stringify(new URL('programs/seeded.js', import.meta.url).href)};
      const { header, content } = offerOf(seededBytes('resume', ${String(content.length)}));
      const store = await DiskStore.open({ directory: process.argv[1], reserveBytes: 0 });
      await store.put(header, async function* (missing) {
        yield* segmentsOf(content, ${String(SEGMENT_BYTES)})(missing.slice(0, 20));
        process.kill(process.pid, 'SIGKILL');
      }, { signal: NEVER });
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory], { stdio: 'inherit' });
    const [, killedBy] = (await once(child, 'close')) as [number | null, string | null];
    assert.equal(killedBy, 'SIGKILL');
    const store = await DiskStore.open({ directory, reserveBytes: 0 });
    context.after(() => store.close());
    const { header } = offerOf(content);
    const asked: (readonly number[])[] = [];
    await store.put(
      header,
      (missing) => {
        asked.push(missing);
        return segmentsOf(content, SEGMENT_BYTES)(missing);
      },
      { signal: NEVER },
    );
    assert.equal(asked.length, 1);
    assert.ok((asked[0]?.length ?? 24) <= 16, `at least one full write had landed: asked for ${String(asked[0])}`);
    assert.ok((await readChunk(store, header.id)).equals(content));
  });

  it('another process that has the store open is a CONFLICT', async (context) => {
    const directory = await temporaryFolder(context);
    const writer = spawn(process.execPath, [WRITER, directory, 'holder'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(writer, 'close');
    try {
      await once(writer.stdout, 'data');
      writer.stdout.resume();
      await assert.rejects(DiskStore.open({ directory }), { code: 'CONFLICT', message: /another process/ });
    } finally {
      writer.kill('SIGKILL');
      await closed;
    }
    await (await DiskStore.open({ directory })).close();
  });
});
