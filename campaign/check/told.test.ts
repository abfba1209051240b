import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChunkId, StripeId } from '../../src/chunk/ids.js';
import { doomOf, type Holdings } from './holdings.js';
import { judgeTold, type Told } from './told.js';

const [ONE, TWO, LEFT] = ['one', 'two', 'left'] as StripeId[] as [StripeId, StripeId, StripeId];

/** Stripes of 2 + 1 whose chunks lie at these peers. */
function holdings(stripes: Readonly<Record<string, readonly number[]>>): Holdings {
  const held = Object.entries(stripes).map(([stripe, peers]) => {
    const chunks = peers.map((peer, index) => [`${stripe}-${String(index)}` as ChunkId, new Set([peer])] as const);
    return [stripe as StripeId, { k: 2, chunks: new Map(chunks) }] as const;
  });
  return { stripes: new Map(held) };
}

describe('arithmetic of loss', () => {
  const held = holdings({ one: [1, 2, 3], two: [3, 4, 5] });

  test('a stripe is lost when fewer than k chunks are left, and not before', () => {
    assert.deepEqual([...doomOf(held, new Set([1])).stripes.keys()], []);
    assert.deepEqual([...doomOf(held, new Set([1, 2])).stripes.keys()], [ONE]);
    assert.deepEqual([...doomOf(held, new Set([3, 4, 1])).stripes.keys()], [ONE, TWO]);
  });

  test('a chunk that two have is left while one of them is', () => {
    const twice = {
      stripes: new Map([
        [
          ONE,
          {
            k: 2,
            chunks: new Map([
              ['a', new Set([1, 4])],
              ['b', new Set([2])],
            ]),
          },
        ],
      ]),
    };
    assert.equal(doomOf(twice as unknown as Holdings, new Set([1])).stripes.size, 0);
    assert.equal(doomOf(twice as unknown as Holdings, new Set([1, 4])).stripes.size, 1);
  });
});

describe('what a network says of its losses', () => {
  const doom = doomOf(holdings({ one: [1, 2, 3], two: [1, 2, 4], left: [3, 4, 5] }), new Set([1, 2]));
  const files = new Map([
    ['/doomed', [ONE, LEFT]],
    ['/left', [LEFT]],
    ['/small', []],
  ]);
  const lostFiles = new Set(['/doomed']);
  const named = [
    { id: 'one-0', peer: 1 },
    { id: 'one-1', peer: 2 },
  ];

  function verdict(told: Partial<Told>): string | undefined {
    return judgeTold(doom, files, { lostStripes: undefined, damaged: new Map(), named: [], lostFiles, ...told });
  }

  const damaged = new Map([
    [1, 1],
    [2, 1],
  ]);

  test('repair tells of the stripes, and scrubs of their chunks', () => {
    assert.equal(verdict({ lostStripes: 1, damaged, named }), undefined);
    assert.equal(verdict({ lostStripes: 2, damaged, named }), undefined, 'another that was doomed may be known');
  });

  test('nothing, or less than all, is too little', () => {
    assert.match(verdict({}) ?? '', /1 stripes are lost, and repair tells of 0/);
    assert.match(verdict({ damaged, named }) ?? '', /repair tells of 0/);
    assert.match(verdict({ lostStripes: 1, damaged: new Map([[1, 1]]), named }) ?? '', /peer 2 tells of 0/);
    const noFile = { lostStripes: 1, damaged, named, lostFiles: new Set<string>() };
    assert.match(verdict(noFile) ?? '', /\/doomed is lost, and is not said to be/);
  });

  test('more than the arithmetic says is too much', () => {
    assert.match(verdict({ lostStripes: 3 }) ?? '', /3 stripes are said to be lost, of 2/);
    assert.match(
      verdict({ lostStripes: 1, damaged: new Map([[1, 3]]) }) ?? '',
      /3 chunks stay damaged at peer 1, of 2/,
    );
    const left = [{ id: 'left-0', peer: 3 }];
    assert.match(verdict({ lostStripes: 1, named: left }) ?? '', /though others have enough/);
    const twoFiles = { lostStripes: 1, damaged, named, lostFiles: new Set(['/doomed', '/left']) };
    assert.match(verdict(twoFiles) ?? '', /\/left is not lost, and is said to be/);
    const elsewhere = [{ id: 'one-0', peer: 3 }];
    assert.match(verdict({ lostStripes: 1, named: elsewhere }) ?? '', /stays damaged at peer 3/);
  });
});
