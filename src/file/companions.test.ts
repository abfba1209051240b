import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NewVersion, Session } from '../catalog/catalog.js';
import { parseChunkId, parseStripeId, parseUserId, type StripeId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { silentLogger } from '../log.js';
import { silentTelemetry } from '../telemetry.js';
import { Companions } from './companions.js';
import type { Engine } from './engine.js';
import { stripeCapacity } from './pack.js';
import { putFiles, type PutFile } from './put.js';
import type { FileState } from './put-file.js';
import type { JobOwner } from './stripe-host.js';
import type { Piece, StoredStripe } from './worker/protocol.js';

function id(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, value);
  return bytes;
}

function state(bytes: number, storedBytes: number): FileState {
  return { bytes, storedBytes, failed: false } as unknown as FileState;
}

describe('files that share a stripe', () => {
  it('are released together, each once, when all are whole or have failed', () => {
    const companions = new Companions();
    const [small, large, other] = [state(1, 1), state(9, 5), state(1, 1)];
    companions.join([small, large, small]);
    assert.deepEqual(companions.release(small), []);
    assert.deepEqual(companions.release(other), [other]);
    large.storedBytes = 9;
    assert.deepEqual(companions.release(large), [small, large]);
    assert.deepEqual(companions.release(small), []);
    const [kept, lost] = [state(1, 1), state(9, 5)];
    companions.join([kept, lost]);
    lost.failed = true;
    assert.deepEqual(companions.release(lost), [kept]);
  });
});

const SCHEME = { k: 2, m: 1 };
const session = { token: 't', user: parseUserId(id(1)), name: 'demo' } as Session;
const { signal } = new AbortController();

function local(path: string, fileBytes: number): PutFile {
  const source = { local: path, device: '', inode: '', fileBytes, modifiedMs: 0 };
  return { path, modifiedMs: 0, mode: 0o644, source };
}

/** Stores nothing; a test says when each stripe is stored, by the number of its files, and sees every commit. */
class FakeEngine {
  readonly commits: (readonly NewVersion[])[] = [];
  readonly #turns: ((pieces: readonly Piece[]) => Promise<void>) | undefined;
  #stripes = 0;

  constructor(turns?: (pieces: readonly Piece[]) => Promise<void>) {
    this.#turns = turns;
  }

  get engine(): Engine {
    const catalog = {
      network: async () => ({ tolerate: 1 }),
      fileIds: async (_: Session, paths: readonly string[]) => paths.map(() => undefined),
      directoryKey: async () => new Uint8Array(32),
      putStripes: async () => undefined,
      commit: async (_: Session, versions: readonly NewVersion[]) => {
        await Promise.resolve();
        this.commits.push(versions);
      },
      unreferenced: async () => [],
    };
    const targets = [1, 2, 3].map((n) => ({ id: id(n) }));
    const book = { targets: () => targets, isTrusted: () => true };
    const links = { pingAll: async () => new Map(targets.map((target) => [target.id, 1])) };
    const noop = (): void => undefined;
    const outbox = { intend: async () => undefined, settle: noop, add: async () => undefined, intents: () => [] };
    const host = { withJob: (owner: JobOwner, run: (job: JobOwner) => unknown) => run(owner) };
    const share = { take: () => undefined, leave: noop };
    const pool = {
      turns: { take: async () => noop },
      staged: { join: () => share },
      storeStripe: (job: { job: JobOwner; pieces: readonly Piece[] }) => this.#store(job),
    };
    const parts = {
      catalog,
      book,
      links,
      outbox,
      host,
      pool,
      pinned: new Set(),
      telemetry: silentTelemetry(),
      logger: silentLogger(),
    };
    return parts as unknown as Engine;
  }

  async #store({ job, pieces }: { readonly job: JobOwner; readonly pieces: readonly Piece[] }): Promise<StoredStripe> {
    const number = 10 * ++this.#stripes;
    const chunks = [0, 1, 2].map((index) => parseChunkId(id(number + index)));
    const shape = { id: parseStripeId(id(number)), ...SCHEME, bytes: 2, chunkBytes: 1, chunks };
    await job.onAuthorized?.({ ...shape, directoryOffset: 0, directoryBytes: 0 }, []);
    await this.#turns?.(pieces);
    const placement = chunks.map(() => ({ peer: id(1) }));
    const stripe = { ...shape, placement, label: new Uint8Array(), strays: [] };
    const outcomes = pieces.map(({ bytes }) => ({
      key: id(9),
      stripe: shape.id,
      offset: 0,
      sealedBytes: bytes,
      bytes,
    }));
    return { stripe, outcomes } as unknown as StoredStripe;
  }

  /** Of each stripe, how many commits speak of it. */
  get commitsOfStripes(): number[] {
    const commits = new Map<StripeId, Set<number>>();
    for (const [at, versions] of this.commits.entries()) {
      for (const { stripe } of versions.flatMap(({ manifest }) => manifest.extents)) {
        commits.set(stripe, (commits.get(stripe) ?? new Set()).add(at));
      }
    }
    return [...commits.values()].map((each) => each.size);
  }
}

function onFailed({ path }: PutFile, error: StorageError): void {
  throw new Error(`${path} was not stored`, { cause: error });
}

async function* batchOf(files: readonly PutFile[]): AsyncGenerator<readonly PutFile[]> {
  yield files;
}

describe('a put', () => {
  it('never makes a part of the files of a stripe visible before the others', async () => {
    const fake = new FakeEngine();
    const stored: string[] = [];
    const events = { onStored: ({ path }: PutFile) => void stored.push(path), onFailed };
    const files = Array.from({ length: 4_500 }, (_, at) => local(`/small/${String(at)}`, 100));
    await putFiles(fake.engine, session, batchOf(files), { ...events, signal });
    assert.equal(stored.length, files.length);
    assert.deepEqual([...new Set(fake.commitsOfStripes)], [1]);
  });

  it('shows what lies beside the rest of a large file with that file', async () => {
    let release: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      release = resolve;
    });
    // The large file's first stripe takes longer than the one in which its rest lies beside the small files.
    const fake = new FakeEngine(async (pieces) => {
      if (pieces.length === 1) await begun;
      else setImmediate(release);
    });
    const small = Array.from({ length: 2_500 }, (_, at) => local(`/small/${String(at)}`, 100));
    const large = local('/large', stripeCapacity(SCHEME.k) + 5);
    const events = { onStored: () => undefined, onFailed };
    await putFiles(fake.engine, session, batchOf([large, ...small]), { ...events, signal });
    assert.deepEqual(fake.commitsOfStripes, [1, 1]);
  });

  it('shows the small files when the large one fails', async () => {
    const fake = new FakeEngine(async (pieces) => {
      await new Promise(setImmediate);
      if (pieces.every(({ last }) => !last)) throw new StorageError('NO_SPACE', 'The disk is full.');
    });
    const [stored, failed]: [string[], string[]] = [[], []];
    const events = {
      onStored: ({ path }: PutFile) => void stored.push(path),
      onFailed: ({ path }: PutFile) => void failed.push(path),
    };
    const files = [local('/large', stripeCapacity(SCHEME.k) + 5), local('/small', 100)];
    await putFiles(fake.engine, session, batchOf(files), { ...events, signal });
    assert.deepEqual([stored, failed], [['/small'], ['/large']]);
  });
});
