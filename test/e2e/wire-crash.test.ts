import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseChunkId, type ChunkId } from '../../src/chunk/ids.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { StorageError } from '../../src/errors.js';
import { SEGMENT_BYTES } from '../../src/limits.js';
import { DiskStore } from '../../src/store/disk-store.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import { WatchedSource } from '../contract/chunk-store-bench.js';
import { NEVER, readChunk } from '../contract/offer.js';
import { reach, serve, TestNetwork, TestUser, type TestPeer } from '../wire/network.js';
import { seededBytes, SeededNumbers } from './programs/seeded.js';

const TARGET = fileURLToPath(new URL('programs/wire-target.js', import.meta.url));
const SOURCE = fileURLToPath(new URL('programs/wire-source.js', import.meta.url));
const KILLS = 6;
/** The kill falls anywhere within this time after the first sign of life. */
const LIFE_MS = 250;
const SEGMENTS = 32;
/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());

type Child = ChildProcessByStdio<null, Readable, null>;
let source: TestPeer, target: TestPeer, folder: string;
const user = new TestUser();

before(async () => {
  const network = await TestNetwork.open();
  [source, target] = [await network.peer(), await network.peer()];
  folder = await mkdtemp(join(tmpdir(), 'shoal-wire-crash-'));
  await writeFile(join(folder, 'target.json'), JSON.stringify(target.tls), { mode: 0o600 });
  await writeFile(join(folder, 'source.json'), JSON.stringify(source.tls), { mode: 0o600 });
  await writeFile(join(folder, 'target.pem'), target.tls.certificate);
});
after(() => rm(folder, { recursive: true, force: true }));

function start(program: string, ...args: string[]): Child {
  return spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function kill(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

async function startTarget(directory: string): Promise<{ child: Child; port: number }> {
  const child = start(TARGET, directory, join(folder, 'target.json'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(line.toString().split(' ')[1]) };
}

/** Whatever is visible is whole, and everything acknowledged is visible. */
async function verify(store: DiskStore, acknowledged: ReadonlyMap<ChunkId, Uint8Array>): Promise<void> {
  const visible = new Set<ChunkId>();
  for await (const { id } of store.list({ signal: NEVER })) {
    visible.add(id);
    assert.equal(describeChunk(await readChunk(store, id)).id, id);
  }
  for (const [id, content] of acknowledged) {
    assert.ok(visible.has(id), `chunk ${id} was acknowledged`);
    assert.ok((await readChunk(store, id)).equals(content));
  }
}

/** Puts chunks until the connection breaks. */
async function putUntilBroken(store: RemoteStore, seed: string, stored: Map<ChunkId, Uint8Array>): Promise<void> {
  const numbers = new SeededNumbers(seed);
  for (let turn = 0; ; turn++) {
    const content = seededBytes(`${seed}-${String(turn)}`, 200 + numbers.below(20 * SEGMENT_BYTES));
    const shape = describeChunk(content);
    const { label, grant } = user.authorize(shape, source.id);
    try {
      const header = { ...shape, owner: user.id, label };
      await store.put(header, new WatchedSource(content).source, { signal: NEVER, grant });
      stored.set(shape.id, content);
    } catch (error) {
      if (StorageError.is(error, 'UNAVAILABLE')) return;
      throw error;
    }
  }
}

describe(`peers that are killed again and again (SHOAL_TEST_SEED=${SEED})`, () => {
  it('a target keeps what it acknowledged and shows nothing by halves', async () => {
    const directory = join(folder, 'killed-target');
    const numbers = new SeededNumbers(SEED);
    const stored = new Map<ChunkId, Uint8Array>();
    for (let life = 0; life < KILLS; life++) {
      const { child, port } = await startTarget(directory);
      await using store = RemoteStore.open(reach(source, target, port));
      const lanes = ['a', 'b'].map((lane) => putUntilBroken(store, `${SEED}-${String(life)}-${lane}`, stored));
      await sleep(numbers.below(LIFE_MS));
      await kill(child);
      await Promise.all(lanes);
    }
    await using store = await DiskStore.open({ directory, reserveBytes: 0 });
    await verify(store, stored);
    assert.ok(stored.size > 0, 'something was stored');
  });

  it('a target that was killed in the middle of a chunk goes on where it stopped', async () => {
    const directory = join(folder, 'resuming-target');
    const content = seededBytes(`${SEED} resume`, SEGMENTS * SEGMENT_BYTES);
    const shape = describeChunk(content);
    const { label, grant } = user.authorize(shape, source.id);
    const header = { ...shape, owner: user.id, label };

    const first = await startTarget(directory);
    await using broken = RemoteStore.open(reach(source, target, first.port));
    const cut = new WatchedSource(content, async (segment) => {
      if (segment.index === 28) {
        // What is on its way may arrive.
        await sleep(100);
        await kill(first.child);
      }
      return segment;
    });
    await assert.rejects(broken.put(header, cut.source, { signal: NEVER, grant }), { code: 'UNAVAILABLE' });

    const second = await startTarget(directory);
    try {
      await using store = RemoteStore.open(reach(source, target, second.port));
      assert.equal((await store.has([shape.id], { signal: NEVER })).size, 0);
      const rest = new WatchedSource(content);
      await store.put(header, rest.source, { signal: NEVER, grant });
      assert.ok((rest.asked[0]?.length ?? SEGMENTS) < SEGMENTS, `asked for ${String(rest.asked[0])}`);
      assert.ok((await readChunk(store, shape.id)).equals(content));
    } finally {
      await kill(second.child);
    }
  });

  it('a source leaves nothing by halves, and what it was told is stored is stored', async () => {
    await using store = await DiskStore.open({ directory: join(folder, 'killed-source'), reserveBytes: 0 });
    await using server = await serve(target, { receiver: { store } });
    const numbers = new SeededNumbers(`${SEED} source`);
    const stored = new Map<ChunkId, Uint8Array>();
    for (let life = 0; life < KILLS; life++) {
      const seed = `${SEED}-${String(life)}`;
      const child = start(SOURCE, join(folder, 'source.json'), join(folder, 'target.pem'), String(server.port), seed);
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
      await once(child.stdout, 'data');
      await sleep(numbers.below(LIFE_MS));
      await kill(child);
      // The kill may have cut the last line.
      for (const line of said.split('\n').slice(0, -1)) {
        const [verb, id = '', bytes = '', of = ''] = line.split(' ');
        if (verb === 'stored') stored.set(parseChunkId(id), seededBytes(of, Number(bytes)));
      }
    }
    await verify(store, stored);
    assert.ok(stored.size > 0, 'something was stored');
  });

  it('a source that was killed in the middle of a chunk goes on where it stopped', async () => {
    await using store = await DiskStore.open({ directory: join(folder, 'resuming-source'), reserveBytes: 0 });
    await using server = await serve(target, { receiver: { store }, sender: { store } });
    const seed = `${SEED}-stopped`;
    const args = [join(folder, 'source.json'), join(folder, 'target.pem'), String(server.port), seed, '28'];
    const child = start(SOURCE, ...args);
    child.stdout.resume();
    const [, killedBy] = (await once(child, 'close')) as [number | null, string | null];
    assert.equal(killedBy, 'SIGKILL');

    const content = seededBytes(seed, SEGMENTS * SEGMENT_BYTES);
    const shape = describeChunk(content);
    const { label, grant } = user.authorize(shape, source.id);
    await using remote = RemoteStore.open(reach(source, target, server.port));
    const rest = new WatchedSource(content);
    await remote.put({ ...shape, owner: user.id, label }, rest.source, { signal: NEVER, grant });
    assert.ok((rest.asked[0]?.length ?? SEGMENTS) < SEGMENTS, `asked for ${String(rest.asked[0])}`);
    assert.ok((await readChunk(remote, shape.id)).equals(content));
  });
});
