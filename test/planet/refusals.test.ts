/** Bad input, and changes of mind: a clear message for what is wrong, and nothing else is lost. Three peers, 2+1. */
import assert from 'node:assert/strict';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { StorageError } from '../../src/errors.js';
import { putFiles } from '../../src/file/put.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, getAll, localSource, paths, put, putAll, read, type Outcome } from './files.js';
import { offerFutureLabel, putFutureExtent } from './future.js';
import { Planet } from './planet.js';

const MIB = 1024 * 1024;
/** What was cancelled ends at the peers within this time; the outbox leaves it more. */
const WIND_DOWN_MS = 200;
const NOTE = seededBytes('note', 5000);

function codeOf(outcome: Outcome | undefined): string {
  return outcome instanceof StorageError ? outcome.code : 'stored';
}

describe('what cannot be stored or read', () => {
  let planet: Planet;
  let local: string;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    local = join(planet.folder, 'local');
    await mkdir(local);
  });
  after(() => planet[Symbol.asyncDispose]());

  async function localFile(name: string, bytes: Uint8Array) {
    const path = join(local, name);
    await writeFile(path, bytes);
    return localSource(path);
  }

  it('a file that changed since the put began, and one that is gone, fail alone', async () => {
    const changed = await localFile('changed', seededBytes('changed', 400_000));
    const grown = await localFile('grown', NOTE);
    const gone = await localFile('gone', NOTE);
    const replaced = await localFile('replaced', NOTE);
    const kept = await localFile('kept', NOTE);
    await writeFile(changed.local, seededBytes('other', 400_000));
    await writeFile(grown.local, seededBytes('longer', 6000));
    await rm(gone.local);
    await rm(replaced.local);
    await writeFile(replaced.local, NOTE);
    const outcomes = await putAll(planet, {
      '/c/changed': { ...changed, modifiedMs: changed.modifiedMs - 1 },
      '/c/grown': grown,
      '/c/gone': gone,
      '/c/replaced': { ...replaced, inode: '1' },
      '/c/kept': kept,
    });
    assert.deepEqual([...outcomes].map(([path, outcome]) => [path, codeOf(outcome)]).toSorted(), [
      ['/c/changed', 'CONFLICT'],
      ['/c/gone', 'NOT_FOUND'],
      ['/c/grown', 'CONFLICT'],
      ['/c/kept', 'stored'],
      ['/c/replaced', 'PERMISSION_DENIED'],
    ]);
    const changedOutcome = outcomes.get('/c/changed');
    assert.ok(changedOutcome instanceof StorageError);
    assert.match(changedOutcome.message, /changed while it was being stored/);
    assert.deepEqual(
      (await paths(planet)).filter((path) => path.startsWith('/c/')),
      ['/c/kept'],
    );
    await assertStored(planet, '/c/kept', NOTE);
  });

  it('a file that changes between its stripes fails, and its first stripes are deleted', async () => {
    const before = await planet.usage();
    const large = await localFile('large', seededBytes('large', 17 * MIB));
    const store = planet.engine.pool.storeStripe.bind(planet.engine.pool);
    let stripes = 0;
    planet.engine.pool.storeStripe = async (job, signal) => {
      if (++stripes === 2) await writeFile(large.local, seededBytes('larger', 18 * MIB));
      return store(job, signal);
    };
    try {
      await assert.rejects(put(planet, '/large', large), { code: 'CONFLICT' });
    } finally {
      planet.engine.pool.storeStripe = store;
    }
    await assert.rejects(read(planet, '/large'), { code: 'NOT_FOUND' });
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });

  it('a file that may not be read fails alone', { skip: process.getuid?.() === 0 && 'root may read all' }, async () => {
    const secret = await localFile('secret', NOTE);
    await chmod(secret.local, 0);
    const outcomes = await putAll(planet, { '/u/secret': secret, '/u/kept': NOTE });
    assert.deepEqual(
      [codeOf(outcomes.get('/u/secret')), codeOf(outcomes.get('/u/kept'))],
      ['PERMISSION_DENIED', 'stored'],
    );
  });

  it('names that are refused fail alone', async () => {
    await put(planet, '/folder/file', NOTE);
    const outcomes = await putAll(planet, {
      '/folder': NOTE,
      '/folder/file/below': NOTE,
      '/good': NOTE,
      '/a/../b': NOTE,
      '/bell\u0007': NOTE,
      relative: NOTE,
    });
    assert.deepEqual(Object.fromEntries([...outcomes].map(([path, outcome]) => [path, codeOf(outcome)])), {
      '/folder': 'CONFLICT',
      '/folder/file/below': 'CONFLICT',
      '/good': 'stored',
      '/a/../b': 'INVALID_ARGUMENT',
      '/bell\u0007': 'INVALID_ARGUMENT',
      relative: 'INVALID_ARGUMENT',
    });
    await assertStored(planet, '/good', NOTE);
    await assertStored(planet, '/folder/file', NOTE);
  });

  it('a stream that breaks fails alone, and what was stored of it is deleted', async () => {
    const before = await planet.usage();
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield seededBytes('broken', 9 * MIB);
      await delay(1);
      throw new Error('the pipe broke');
    };
    await assert.rejects(put(planet, '/broken', broken()), { message: /the pipe broke/ });
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });

  it('a put that is cancelled shows nothing, and what it stored is deleted', async () => {
    const before = await planet.usage();
    const known = await paths(planet);
    const abort = new AbortController();
    const reason = new Error('changed my mind');
    const content = seededBytes('cancelled', 25 * MIB);
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield content.subarray(0, 20 * MIB);
      abort.abort(reason);
      yield content.subarray(20 * MIB);
    };
    await assert.rejects(put(planet, '/cancelled', source(), abort.signal), (error) => error === reason);
    assert.deepEqual(await paths(planet), known);
    await delay(WIND_DOWN_MS);
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });

  for (const stage of ['when its first chunk arrived', 'when every chunk arrived']) {
    it(`a put of a stripe that is cancelled ${stage} leaves nothing at any peer`, async () => {
      const before = await planet.usage();
      const abort = new AbortController();
      const content = seededBytes(stage, 3 * MIB);
      let reported = 0;
      const batches = (async function* () {
        const source = (async function* () {
          yield content;
        })();
        yield [{ path: '/stripe', modifiedMs: 0, mode: 0o600, source }];
      })();
      await assert.rejects(
        putFiles(planet.engine, planet.session, batches, {
          signal: abort.signal,
          onProgress: (bytes) => {
            reported += bytes;
            if (stage === 'when its first chunk arrived' || reported >= content.length) abort.abort();
          },
          onStored: () => assert.fail('cancelled'),
          onFailed: () => assert.fail('nobody is told of files of a cancelled put'),
        }),
        { name: 'AbortError' },
      );
      await assert.rejects(read(planet, '/stripe'), { code: 'NOT_FOUND' });
      await delay(WIND_DOWN_MS);
      await planet.deliver();
      assert.deepEqual(await planet.usage(), before);
    });
  }

  it('a put whose source hangs can be cancelled', { timeout: 10_000 }, async () => {
    const abort = new AbortController();
    const reason = new Error('too long');
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield NOTE;
      abort.abort(reason);
      await new Promise(() => undefined);
    };
    await assert.rejects(put(planet, '/hangs', source(), abort.signal), (error) => error === reason);
    await assert.rejects(read(planet, '/hangs'), { code: 'NOT_FOUND' });
  });

  it('a get that is cancelled ends with the reason', async () => {
    await put(planet, '/long', seededBytes('long', 9 * MIB));
    const abort = new AbortController();
    const reason = new Error('enough');
    planet.relay(2).stall();
    planet.relay(3).stall();
    setTimeout(() => {
      abort.abort(reason);
    }, 50);
    await assert.rejects(read(planet, '/long', { signal: abort.signal }), (error) => error === reason);
    planet.relay(2).flow();
    planet.relay(3).flow();
    await assertStored(planet, '/long', seededBytes('long', 9 * MIB));
  });

  it('an extent of a later format is refused by name, others are read', async () => {
    await putFutureExtent(planet, '/future', NOTE);
    await put(planet, '/present', NOTE);
    await assert.rejects(read(planet, '/future'), { code: 'UNSUPPORTED', message: /Upgrade/ });
    const [future, present] = await getAll(planet, ['/future', '/present']);
    assert.ok(future instanceof StorageError);
    assert.equal(future.code, 'UNSUPPORTED');
    assert.deepEqual(present, Buffer.from(NOTE));
  });

  it('a label of a later format is refused by the peer that is offered it', async () => {
    await assert.rejects(offerFutureLabel(planet), { code: 'UNSUPPORTED', message: /format 2 .*Upgrade/ });
  });

  it('two files for one path in one put: both are versions, the path is whole', async () => {
    const batches = (async function* () {
      const of = (byte: number) =>
        (async function* () {
          yield new Uint8Array(1000).fill(byte);
        })();
      yield [1, 2].map((byte) => ({ path: '/twice', modifiedMs: byte, mode: 0o600, source: of(byte) }));
    })();
    const told: string[] = [];
    await putFiles(planet.engine, planet.session, batches, {
      signal: new AbortController().signal,
      onStored: () => told.push('stored'),
      onFailed: (_file, { code }) => told.push(code),
    });
    assert.equal(told.length, 2);
    const bytes = await read(planet, '/twice');
    assert.equal(new Set(bytes).size, 1);
  });
});
