import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DirectoryExtent } from '../../chunk/directory.js';
import { parseFileId, parseStripeId, parseVersionId } from '../../chunk/ids.js';
import { sealedBytes } from '../../crypto/seal.js';
import { pathsOf } from './bring-back.js';
import { VersionDrafts } from './version-drafts.js';

const STRIPE = parseStripeId('5a'.repeat(32));

interface Entry {
  readonly version: number;
  readonly file?: number;
  readonly path?: string;
  readonly at?: number;
  readonly bytes?: number;
  readonly last?: boolean;
  readonly created?: number;
  readonly modified?: number;
}

function id(n: number): string {
  return n.toString(16).padStart(32, '0');
}

function entry({ version, file = 1, path = '/a', at = 0, bytes = 10, last = true, ...times }: Entry): DirectoryExtent {
  const extent =
    bytes === 0
      ? { sealedBytes: 0, key: new Uint8Array(0) }
      : { sealedBytes: sealedBytes(bytes), key: new Uint8Array(32) };
  const place = { offset: 0, bytes, fileOffset: at, last, ...extent };
  const created = times.created === undefined ? {} : { createdMs: times.created };
  const ids = { file: parseFileId(id(file)), version: parseVersionId(id(version)) };
  return { ...ids, path, mode: 0o640, modifiedMs: times.modified ?? 7, ...created, ...place };
}

function draftsOf(...entries: readonly DirectoryExtent[]): VersionDrafts {
  const drafts = new VersionDrafts();
  for (const one of entries) drafts.add(STRIPE, [one]);
  return drafts;
}

describe('versions from directories', () => {
  it('are whole in whatever order their extents come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (sizes, order) => {
          let at = 0;
          const entries = sizes.map((bytes, index) => {
            const one = entry({ version: 1, at, bytes, last: index === sizes.length - 1 });
            at += bytes;
            return one;
          });
          const shuffled = entries
            .map((one) => ({ one, key: Number(order.next().value) }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }) => one);
          const [found, ...more] = draftsOf(...shuffled).whole();
          assert.deepEqual(more, []);
          assert.ok(found !== undefined);
          assert.equal(found.manifest.bytes, at);
          assert.deepEqual(
            found.manifest.extents.map(({ bytes }) => bytes),
            sizes,
          );
          for (const dropped of entries) {
            const rest = draftsOf(...shuffled.filter((one) => one !== dropped));
            assert.deepEqual(rest.whole(), []);
            assert.equal(rest.broken().length, entries.length === 1 ? 0 : 1);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('say what is missing of them', () => {
    const missing = (...parts: readonly DirectoryExtent[]): string | undefined =>
      draftsOf(...parts).broken()[0]?.missing;
    const part = (at: number, bytes: number, last = false): DirectoryExtent => entry({ version: 1, at, bytes, last });
    assert.equal(missing(part(5, 5, true)), 'bytes 0–4');
    assert.equal(missing(part(0, 5), part(9, 5, true)), 'bytes 5–8');
    assert.equal(missing(part(0, 5)), 'everything from byte 5 on');
    assert.equal(missing(part(3, 5)), 'bytes 0–2 and everything from byte 8 on');
    assert.equal(missing(part(0, 5), part(3, 5, true)), 'agreement on bytes 3–4');
  });

  it('count what lies in stripes that cannot be read as missing, and still name the file', () => {
    const drafts = new VersionDrafts();
    drafts.add(STRIPE, [entry({ version: 1, bytes: 4, last: false })]);
    drafts.add(
      STRIPE,
      [entry({ version: 1, at: 4, bytes: 6 }), entry({ version: 2, bytes: 0, path: '/empty' })],
      false,
    );
    assert.deepEqual(
      drafts.broken().map(({ path, bytes, missing }) => ({ path, bytes, missing })),
      [{ path: '/a', bytes: 4, missing: 'everything from byte 4 on' }],
    );
    assert.deepEqual(
      drafts.whole().map(({ path, manifest }) => ({ path, extents: manifest.extents })),
      [{ path: '/empty', extents: [] }],
    );
  });

  it('take an extent that was stored twice once', () => {
    const [found] = draftsOf(entry({ version: 1 }), entry({ version: 1 })).whole();
    assert.equal(found?.manifest.extents.length, 1);
  });

  it('come the oldest first: by the time of the put, else of the change', () => {
    const found = draftsOf(
      entry({ version: 1, created: 30, modified: 1 }),
      entry({ version: 2, created: 10, modified: 99 }),
      entry({ version: 3, modified: 20 }),
      entry({ version: 5, created: 40 }),
      entry({ version: 4, created: 40 }),
    ).whole();
    assert.deepEqual(
      found.map(({ manifest }) => Number.parseInt(manifest.version, 16)),
      [2, 3, 1, 4, 5],
    );
  });

  it('of one file go where the newest of them was stored', () => {
    const found = draftsOf(
      entry({ version: 1, file: 1, path: '/new', created: 20 }),
      entry({ version: 2, file: 1, path: '/old', created: 10 }),
      entry({ version: 3, file: 2, path: '/other', created: 5 }),
    ).whole();
    assert.deepEqual([...pathsOf(found)].toSorted(), [
      [id(1), '/new'],
      [id(2), '/other'],
    ]);
  });
});
