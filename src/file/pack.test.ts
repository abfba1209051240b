import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { directoryEntryBytes, sealedDirectoryBytes } from '../chunk/directory.js';
import { soloExtentPlainBytes } from '../chunk/stripe-layout.js';
import { sealedBytes } from '../crypto/seal.js';
import { MAX_CHUNK_BYTES, MAX_DIRECTORY_BYTES, MAX_STRIPE_BYTES } from '../limits.js';
import { Packer, stripeCapacity, type Packed, type Waiting } from './pack.js';

type File = Waiting<number>;

function pack(capacity: number, files: readonly File[]): Packed<number>[][] {
  const packer = new Packer<number>(capacity);
  return [...files.flatMap((file) => [...packer.add(file)]), ...packer.flush()];
}

/** What the stripe takes, and its directory before sealing. */
function measure(files: readonly File[], stripe: readonly Packed<number>[]): { total: number; directory: number } {
  let [sealed, directory] = [0, 0];
  for (const { item, bytes } of stripe) {
    sealed += sealedBytes(bytes);
    directory += directoryEntryBytes(files[item]?.path ?? '');
  }
  return { total: sealed + sealedDirectoryBytes(directory), directory };
}

describe('Packer', () => {
  it('covers every file exactly once, in order, within the capacity of a stripe', () => {
    const file = fc.record({ bytes: fc.integer({ min: 1, max: 1_000_000 }), name: fc.string({ maxLength: 100 }) });
    fc.assert(
      fc.property(fc.integer({ min: 20_000, max: 500_000 }), fc.array(file, { maxLength: 30 }), (capacity, drawn) => {
        const files = drawn.map(({ bytes, name }, item): File => ({ item, path: `/${name}`, bytes }));
        const stripes = pack(capacity, files);
        for (const stripe of stripes) assert.ok(measure(files, stripe).total <= capacity);
        const pieces = stripes.flat();
        for (const { item, bytes } of files) {
          let covered = 0;
          const own = pieces.filter((piece) => piece.item === item);
          for (const piece of own) {
            assert.equal(piece.fileOffset, covered);
            assert.ok(piece.bytes > 0);
            covered += piece.bytes;
            assert.equal(piece.last, covered === bytes);
          }
          assert.equal(covered, bytes);
        }
        assert.equal(new Set(pieces.map(({ item }) => item)).size, files.length);
      }),
    );
  });

  it('puts small files into one stripe until it is full', () => {
    const capacity = 100_000;
    const files = Array.from({ length: 30 }, (_, item): File => ({ item, path: `/${String(item)}`, bytes: 6000 }));
    const stripes = pack(capacity, files);
    assert.equal(stripes.length, 2);
    const [first = [], second = []] = stripes;
    assert.ok(measure(files, [...first, ...second.slice(0, 1)]).total > capacity);
  });

  it('fills stripes of its own with a large file, and packs what is left of it', () => {
    const capacity = 66_000;
    const solo = soloExtentPlainBytes(capacity, '/large');
    const files: File[] = [
      { item: 0, path: '/small', bytes: 10 },
      { item: 1, path: '/large', bytes: 2 * solo + 5 },
      { item: 2, path: '/large', bytes: solo },
    ];
    assert.deepEqual(
      pack(capacity, files).map((stripe) => stripe.map(({ item, bytes }) => [item, bytes])),
      [
        [[1, solo]],
        [[1, solo]],
        [
          [0, 10],
          [1, 5],
        ],
        [[2, solo]],
      ],
    );
  });

  it('closes a stripe before its directory is too long to be read', () => {
    const path = `/${'x'.repeat(200)}`;
    const files = Array.from({ length: 12_000 }, (_, item): File => ({ item, path, bytes: 1 }));
    const stripes = pack(stripeCapacity(16), files);
    assert.ok(stripes.length > 1);
    for (const stripe of stripes) {
      assert.ok(sealedDirectoryBytes(measure(files, stripe).directory) <= MAX_DIRECTORY_BYTES);
    }
  });

  it('mentions files without bytes in a stripe that others fill, and makes none for them', () => {
    const packer = new Packer<string>(100_000);
    assert.deepEqual([...packer.mention('empty', '/empty'), ...packer.flush()], []);
    assert.deepEqual(
      [...packer.add({ item: 'full', path: '/full', bytes: 5 }), ...packer.mention('late', '/late')],
      [],
    );
    assert.deepEqual(
      [...packer.flush()].map((stripe) => stripe.map(({ item, bytes, last }) => [item, bytes, last])),
      [
        [
          ['empty', 0, true],
          ['full', 5, true],
          ['late', 0, true],
        ],
      ],
    );
    assert.deepEqual([...packer.mention('alone', '/alone'), ...packer.flush()], []);
  });

  it('drops mentions that would leave a file no room, and those that fit no directory', () => {
    const packer = new Packer<number>(100_000);
    for (let n = 0; n < 10_000; n++) assert.deepEqual([...packer.mention(n, `/empty/${String(n)}`)], []);
    const bytes = 40_000;
    const stripes = [...packer.add({ item: -1, path: '/full', bytes }), ...packer.flush()];
    assert.deepEqual(
      stripes.map((stripe) => stripe.map(({ item }) => item)),
      [[-1]],
    );
  });

  it('yields nothing for nothing', () => {
    assert.deepEqual(pack(100_000, []), []);
  });
});

describe('stripeCapacity', () => {
  it('is k full chunks, as long as a worker can hold them', () => {
    assert.equal(stripeCapacity(2), 2 * MAX_CHUNK_BYTES);
    assert.equal(stripeCapacity(8), MAX_STRIPE_BYTES);
    assert.equal(stripeCapacity(14), MAX_STRIPE_BYTES);
  });
});
