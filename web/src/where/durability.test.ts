import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { StatusReply, WhereReply } from '../api/types.js';
import { fetchedChunks, holdersOf, outlookOf, type Holder } from './durability.js';

function where(k: number, stripes: readonly (readonly (string | null)[])[]): WhereReply {
  return {
    ...{ path: '/film.mp4', bytes: 1, k, m: 2 },
    stripes: stripes.map((peers, n) => ({
      id: String(n),
      chunks: peers.map((peer, index) => ({ index, id: `${String(n)}-${String(index)}`, peer, bytes: 100 })),
    })),
  };
}

function holder(id: string, latencyMs: number | null, self = false): Holder {
  return { id, name: id, zone: '', up: latencyMs !== null, self, latencyMs, chunks: 1, bytes: 1 };
}

const SIX = ['a', 'b', 'c', 'd', 'e', 'f'];

describe('what may fail', () => {
  test('is as many machines as there are chunks to spare', () => {
    assert.deepEqual(outlookOf(where(4, [SIX]), new Set()), { lost: 0, mayFail: 2 });
    assert.deepEqual(outlookOf(where(4, [SIX]), new Set(['b'])), { lost: 0, mayFail: 1 });
    assert.deepEqual(outlookOf(where(4, [SIX, SIX]), new Set(['a', 'b', 'c'])), { lost: 2, mayFail: -1 });
  });

  test('is fewer while a chunk waits for repair, or two lie on one machine', () => {
    assert.equal(outlookOf(where(4, [SIX, ['a', 'b', 'c', 'd', 'e', null]]), new Set()).mayFail, 1);
    assert.equal(outlookOf(where(4, [['a', 'a', 'b', 'c', 'd', 'e']]), new Set()).mayFail, 1);
    assert.equal(outlookOf(where(4, [['a', 'a', 'a', 'b', 'c', 'd']]), new Set()).mayFail, 0);
  });

  test('is true of every choice of machines, and of no larger number', () => {
    const peer = fc.constantFrom(...SIX);
    fc.assert(
      fc.property(
        fc.array(fc.array(peer, { minLength: 3, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        (stripes) => {
          const file = where(3, stripes);
          const { mayFail } = outlookOf(file, new Set());
          const survives = (gone: readonly string[]) => outlookOf(file, new Set(gone)).lost === 0;
          assert.ok(subsets(SIX, Math.max(mayFail, 0)).every(survives));
          if (mayFail < SIX.length) assert.ok(!subsets(SIX, mayFail + 1).every(survives));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('what a get fetches', () => {
  const [stripe] = where(4, [SIX]).stripes;
  const chunks = stripe?.chunks ?? [];

  test('is k chunks, of this machine and the fastest others', () => {
    const holders = [
      holder('a', 50),
      holder('b', 5),
      holder('c', 1),
      holder('d', 9),
      holder('e', 70),
      holder('f', 0, true),
    ];
    assert.deepEqual([...fetchedChunks(chunks, 4, holders)].sort(), [1, 2, 3, 5]);
  });

  test('is fewer when too few answer', () => {
    assert.deepEqual([...fetchedChunks(chunks, 4, [holder('c', 1)])], [2]);
  });
});

test('holders are the machines with chunks, this one first', () => {
  const status = {
    peer: { id: 'b' },
    peers: [
      { id: 'a', name: 'attic', zone: 'home', up: true, latencyMs: 3 },
      { id: 'b', name: 'desk', zone: 'office', up: true, latencyMs: null },
      { id: 'z', name: 'unused', zone: '', up: true, latencyMs: 1 },
    ],
  } as unknown as StatusReply;
  const holders = holdersOf(
    where(2, [
      ['a', 'b', 'gonegonegone'],
      ['a', null, 'b'],
    ]),
    status,
  );
  assert.deepEqual(
    holders.map(({ name, up, chunks, bytes }) => [name, up, chunks, bytes]),
    [
      ['desk', true, 2, 200],
      ['attic', true, 2, 200],
      ['gonegone', false, 1, 100],
    ],
  );
});

function subsets(of: readonly string[], size: number): readonly (readonly string[])[] {
  if (size === 0) return [[]];
  return of.flatMap((one, index) => subsets(of.slice(index + 1), size - 1).map((rest) => [one, ...rest]));
}
