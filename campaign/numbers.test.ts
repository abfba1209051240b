import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Numbers } from './numbers.js';

function draw(seed: number, actor: string): number[] {
  const numbers = new Numbers(seed, actor);
  return Array.from({ length: 20 }, () => numbers.below(1000));
}

describe('the numbers of an actor', () => {
  test('come again with its seed and name, and only with them', () => {
    assert.deepEqual(draw(7, 'nemesis'), draw(7, 'nemesis'));
    assert.notDeepEqual(draw(7, 'nemesis'), draw(8, 'nemesis'));
    assert.notDeepEqual(draw(7, 'nemesis'), draw(7, 'load'));
  });

  test('stay within their bounds and reach both', () => {
    const numbers = new Numbers(1, 'bounds');
    const seen = new Set(Array.from({ length: 200 }, () => numbers.between(3, 6)));
    assert.deepEqual([...seen].sort(), [3, 4, 5, 6]);
  });

  test('pick what is there, and shuffle without losing anything', () => {
    const numbers = new Numbers(1, 'lists');
    assert.equal(numbers.pick<string>([]), undefined);
    assert.equal(numbers.pick(['one']), 'one');
    const list = Array.from({ length: 30 }, (_, index) => index);
    const shuffled = numbers.shuffled(list);
    assert.notDeepEqual(shuffled, list);
    assert.deepEqual(
      shuffled.sort((a, b) => a - b),
      list,
    );
  });
});
