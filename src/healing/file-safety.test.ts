import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry, Manifest, Session, StripeRecord } from '../catalog/catalog.js';
import type { ChunkId, PeerId, StripeId, UserId, VersionId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { SAFETY_FAST_MS, SAFETY_RECORDS } from '../limits.js';
import { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import type { AuditBook } from './audit-book.js';
import type { Denial } from './denials.js';
import { FileSafety } from './file-safety.js';
import { FileStripes, type FilesCatalog } from './file-stripes.js';

const PEERS = ['a', 'b', 'c', 'd', 'e', 'f'] as PeerId[];
const SESSION = { user: 'u' as UserId } as Session;

/** A catalog of files, of each of which the stripes are given, and a network of six peers. */
class Scene {
  readonly files = new Map<string, string[]>();
  readonly records = new Map<string, StripeRecord | undefined>();
  readonly denied: Denial[] = [];
  readonly read = { lists: 0, manifests: 0, records: 0 };
  readonly book: PeerBook;
  readonly gone = new Set<PeerId>();
  isLocked = false;
  /** The next lists that fail. */
  failures = 0;
  readonly unreadable = new Set<string>();
  /** Where the same versions lie since they were moved. */
  readonly moved = new Map<string, string[]>();

  constructor() {
    const records = PEERS.map((id, at) => ({
      id,
      name: id,
      zone: at < 2 ? 'attic' : '',
      state: 'member',
      capacityBytes: 1,
    }));
    this.book = new PeerBook(records as unknown as PeerRecord[]);
  }

  stripe(id: string, k = 4, placed: readonly (PeerId | undefined)[] = PEERS): this {
    const chunks = placed.map((_, at) => `${id} ${String(at)}` as ChunkId);
    const placement = placed.map((peer) => peer && { peer });
    this.records.set(id, { id, k, m: placed.length - k, chunks, placement } as unknown as StripeRecord);
    return this;
  }

  file(path: string, ...stripes: string[]): this {
    this.files.set(path, stripes);
    return this;
  }

  deny(peer: PeerId, ...stripes: string[]): void {
    for (const stripe of stripes) {
      const at = PEERS.indexOf(peer);
      const chunk = `${stripe} ${String(at)}` as ChunkId;
      this.denied.push({ peer, stripe: stripe as StripeId, chunk, reason: 'missing', atMs: 0 });
    }
  }

  get safety(): FileSafety {
    const { denied } = this;
    const audits = {
      get revision() {
        return denied.length;
      },
      faults: () => [],
      denials: { pages: () => [denied] },
    } as unknown as AuditBook;
    const view = { isGone: (peer: PeerId) => this.gone.has(peer) };
    return new FileSafety({ catalog: this.catalog(), book: this.book, view, audits, clock: () => 7 });
  }

  catalog(): FilesCatalog {
    const version = (path: string): VersionId => `${path} ${String(this.files.get(path))}` as VersionId;
    return {
      list: async () => {
        if (this.isLocked) throw new StorageError('LOCKED', 'Locked.');
        this.read.lists++;
        if (this.failures-- > 0) throw new StorageError('UNAVAILABLE', 'No answer.');
        const folder = { path: '/folder', type: 'folder', bytes: 0 } as Entry;
        const files = [...this.files].map(
          ([path]) =>
            ({ path, type: 'file', bytes: 10, version: version(path), moved: this.moved.get(path)?.join() }) as Entry,
        );
        return [folder, ...files];
      },
      manifests: async (_session, paths) => {
        if (paths.some((path) => this.unreadable.has(path))) throw new StorageError('CORRUPT', 'Damaged.');
        this.read.manifests += paths.length;
        return paths.map((path) => {
          const extents = (this.moved.get(path) ?? this.files.get(path))?.map((stripe) => ({ stripe }));
          return extents && ({ version: version(path), bytes: 10, extents } as unknown as Manifest);
        });
      },
      isUnlocked: async () => !this.isLocked,
      stripes: async (ids) => {
        this.read.records += ids.length;
        return ids.map((id) => this.records.get(id));
      },
    };
  }
}

const all = new Set(PEERS);
const but = (...down: string[]): ReadonlySet<PeerId> => new Set(PEERS.filter((peer) => !down.includes(peer)));

describe('FileSafety', () => {
  it('counts files and bytes by the worst of their stripes, and names the worst', async () => {
    const scene = new Scene()
      .stripe('1')
      .stripe('2')
      .stripe('3', 2, ['a', 'b', 'c'] as PeerId[]);
    scene.file('/one', '1').file('/two', '1', '2').file('/three', '3').file('/small', '1').file('/empty');
    const { safety } = scene;
    const whole = await safety.of(SESSION, all);
    assert.deepEqual(whole.files.healthy, { files: 5, bytes: 50 });
    assert.deepEqual([whole.stripes, whole.degradedStripes, whole.mayFail, whole.zonesMayFail], [3, 0, 1, 0]);
    assert.deepEqual([[...whole.vital], [...whole.vitalZones]], [[], ['attic']]);

    const down = await safety.of(SESSION, but('a'));
    assert.deepEqual(
      [down.files.degraded.files, down.files.atRisk, down.waiting.files],
      [3, { files: 1, bytes: 10 }, 0],
    );
    assert.deepEqual(down.worst, [{ path: '/three', bytes: 10, state: 'atRisk' }]);
    assert.deepEqual([down.mayFail, [...down.vital]], [0, ['b', 'c']]);

    scene.deny('b' as PeerId, '2');
    scene.deny('c' as PeerId, '2');
    const lost = await safety.of(SESSION, but('a'));
    assert.deepEqual([lost.files.lost.files, lost.files.atRisk.files, lost.waiting.files], [1, 1, 1]);
    assert.deepEqual(
      lost.worst.map(({ path, state }) => [path, state]),
      [
        ['/two', 'lost'],
        ['/three', 'atRisk'],
      ],
    );
    assert.equal(lost.mayFail, -1);
  });

  it('counts what is gone or distrusted as to be rebuilt, and a record that is lost as lost', async () => {
    const scene = new Scene().stripe('1').file('/one', '1');
    const { safety } = scene;
    scene.gone.add('a' as PeerId);
    assert.equal((await safety.of(SESSION, but('a'))).waiting.files, 1);
    scene.gone.clear();
    assert.equal((await safety.of(SESSION, but('a'))).waiting.files, 0);
    scene.book.distrust(new Set(['b' as PeerId]));
    const distrusted = await safety.of(SESSION, all);
    assert.deepEqual([distrusted.waiting.files, distrusted.machines.get('b' as PeerId)?.standing], [1, 'distrusted']);
    scene.records.delete('1');
    const lost = await safety.of(SESSION, all);
    assert.deepEqual([lost.files.lost.files, lost.unknownStripes, lost.mayFail], [1, 1, -1]);
  });

  it('reads of the catalog what is new, and forgets what was removed', async () => {
    const scene = new Scene().stripe('1').stripe('2').file('/one', '1');
    const { safety } = scene;
    await safety.of(SESSION, all);
    scene.file('/two', '2');
    assert.equal((await safety.of(SESSION, all)).stripes, 2);
    assert.equal(scene.read.manifests, 2, 'each file once');
    scene.files.delete('/one');
    scene.stripe('2', 4, [...PEERS.slice(0, 5), undefined]);
    const { stripes, files, mayFail } = await safety.of(SESSION, all);
    assert.deepEqual(
      [stripes, files.healthy.files, files.degraded.files, mayFail],
      [1, 0, 1, 1],
      'a record that changed',
    );
  });

  it('reads a manifest again when what it tells of was stored anew elsewhere', async () => {
    const scene = new Scene().stripe('1').stripe('2').file('/one', '1').file('/two', '1');
    const { safety } = scene;
    await safety.of(SESSION, all);
    for (const path of ['/one', '/two']) scene.moved.set(path, ['2']);
    scene.records.delete('1');
    const { stripes, files } = await safety.of(SESSION, all);
    assert.deepEqual([stripes, files.healthy.files, files.lost.files], [1, 2, 0]);
    await safety.of(SESSION, all);
    assert.equal(scene.read.manifests, 4, 'each once before and after');
  });

  it('has nothing to say of an empty store, and says LOCKED when the session has ended', async () => {
    const scene = new Scene();
    const { safety } = scene;
    const { mayFail, stripes, files } = await safety.of(SESSION, all);
    assert.deepEqual([mayFail, stripes, files.healthy.files], [undefined, 0, 0]);
    scene.isLocked = true;
    await assert.rejects(safety.of(SESSION, all), { code: 'LOCKED' });
  });

  it('shows nothing for a look that failed, however long that took, and looks again at the next question', async (t) => {
    let nowMs = 0;
    t.mock.method(performance, 'now', () => (nowMs += SAFETY_FAST_MS));
    const scene = new Scene().stripe('1').file('/one', '1');
    scene.failures = 1;
    const { safety } = scene;
    await assert.rejects(safety.of(SESSION, all), { code: 'UNAVAILABLE' });
    assert.equal((await safety.of(SESSION, all)).files.healthy.files, 1);
  });

  it('counts a file whose manifest cannot be read as lost, until it can, and the others as they are', async () => {
    const scene = new Scene().stripe('1').file('/one', '1').file('/two', '1');
    scene.unreadable.add('/two');
    const { safety } = scene;
    const { files, stripes, mayFail, worst } = await safety.of(SESSION, all);
    assert.deepEqual([files.healthy.files, files.lost, stripes, mayFail], [1, { files: 1, bytes: 10 }, 1, -1]);
    assert.deepEqual(worst, [{ path: '/two', bytes: 10, state: 'lost' }]);
    scene.unreadable.clear();
    const again = await safety.of(SESSION, all);
    assert.deepEqual([again.files.healthy.files, again.files.lost.files, again.mayFail], [2, 0, 2]);
  });

  it('takes a catalog that stops answering for no loss of files', async () => {
    const scene = new Scene().stripe('1').file('/one', '1');
    scene.unreadable.add('/one');
    const { safety } = scene;
    const list = safety.of(SESSION, all);
    scene.failures = 1;
    await assert.rejects(list, { code: 'UNAVAILABLE' });
  });

  it('forgets the files of a user who is unlocked no more, and of nobody else', async () => {
    const scene = new Scene().stripe('1').file('/one', '1');
    const { safety } = scene;
    await safety.of(SESSION, all);
    await safety.forgetLocked();
    await safety.of(SESSION, all);
    assert.equal(scene.read.manifests, 1);
    scene.isLocked = true;
    await safety.forgetLocked();
    scene.isLocked = false;
    await safety.of(SESSION, all);
    assert.equal(scene.read.manifests, 2, 'all is read anew');
  });
});

describe('FileStripes', () => {
  it('reads the records of many stripes by turns, also when all are urgent', async () => {
    const scene = new Scene();
    const ids = Array.from({ length: SAFETY_RECORDS + 904 }, (_, n) => String(n));
    for (const id of ids) scene.stripe(id);
    scene.file('/all', ...ids);
    const stripes = new FileStripes(scene.catalog());
    for (let look = 0; look < 3; look++) await stripes.look(SESSION, () => true);
    assert.equal(scene.read.records, ids.length + 2 * SAFETY_RECORDS);
    assert.deepEqual(new Set([...stripes.stripes].map(({ readIn }) => readIn)), new Set([2, 3]));
  });
});
