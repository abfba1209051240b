import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inOrder, type OrderedMove } from './move-order.js';

const move = (name: string, storedMs: number, after?: string): OrderedMove => ({ name, storedMs, after });
const namesOf = (moves: readonly OrderedMove[]): string => moves.map(({ name }) => name).join(' ');

describe('the order of moves', () => {
  it('is that of their stamps where none knew of another', () => {
    assert.equal(namesOf(inOrder([move('b', 20), move('c', 10), move('a', 20)])), 'c a b');
  });

  it('has each behind what its writer knew, and what that stands behind', () => {
    const moves = [move('later', 30, 'ahead'), move('ahead', 1_000, 'first'), move('first', 10), move('apart', 500)];
    assert.equal(namesOf(inOrder(moves)), 'first apart ahead later');
    assert.equal(namesOf(inOrder([...moves, move('latest', 40, 'later')])), 'first apart ahead later latest');
    assert.equal(namesOf(inOrder([move('lone', 5, 'nobody has it')])), 'lone');
  });

  it('makes nothing of a ring, which only a forger can make', () => {
    const ring = [move('a', 30, 'b'), move('b', 10, 'c'), move('c', 20, 'a'), move('self', 15, 'self')];
    assert.equal(namesOf(inOrder([...ring, move('behind', 1, 'a')])), 'b self c a behind');
  });

  it('is the same from any order, and every move comes behind the one it names unless they are in a ring', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const link = fc.option(fc.constantFrom(...names), { nil: undefined });
    const some = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 4 }), link), { maxLength: names.length })
      .map((drawn) => drawn.map(([storedMs, after], at) => move(names[at] ?? '', storedMs, after)))
      .chain((moves) => fc.tuple(fc.constant(moves), fc.shuffledSubarray(moves, { minLength: moves.length })));
    fc.assert(
      fc.property(some, ([moves, shuffled]) => {
        const ordered = inOrder(moves);
        assert.deepEqual(inOrder(shuffled), ordered);
        const byName = new Map(moves.map((each) => [each.name, each]));
        for (const [at, each] of ordered.entries()) {
          const before = byName.get(each.after ?? '');
          if (before !== undefined && !isInRing(each, byName)) assert.ok(ordered.indexOf(before) < at);
        }
      }),
    );
  });
});

function isInRing({ name, after }: OrderedMove, byName: ReadonlyMap<string, OrderedMove>): boolean {
  let at = byName.get(after ?? '');
  for (let steps = 0; at !== undefined && steps < byName.size; steps++) {
    if (at.name === name) return true;
    at = byName.get(at.after ?? '');
  }
  return false;
}
