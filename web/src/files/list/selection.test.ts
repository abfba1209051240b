import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { effectOf, type Key, type KeyEffect } from './keys.js';
import { choose, extend, keepWithin, NOTHING, toggle, type Selection } from './selection.js';

const ORDER = ['/a', '/b', '/c', '/d', '/e'];

function press(selection: Selection, ...keys: readonly (string | Partial<Key>)[]): KeyEffect | undefined {
  let effect: KeyEffect | undefined = { kind: 'select', selection };
  for (const key of keys) {
    assert.equal(effect?.kind, 'select');
    const full = {
      shift: false,
      command: false,
      alt: false,
      ...(typeof key === 'string' ? { key } : { key: '', ...key }),
    };
    effect = effectOf(full, { selection: effect.selection, order: ORDER, pageRows: 3 });
  }
  return effect;
}

function chosenAfter(selection: Selection, ...keys: readonly (string | Partial<Key>)[]): string[] {
  const effect = press(selection, ...keys);
  assert.equal(effect?.kind, 'select');
  return [...effect.selection.chosen];
}

describe('keys in a list', () => {
  test('walk, and stop at both ends', () => {
    assert.deepEqual(chosenAfter(NOTHING, 'ArrowDown'), ['/a']);
    assert.deepEqual(chosenAfter(NOTHING, 'ArrowUp'), ['/e']);
    assert.deepEqual(chosenAfter(choose('/b'), 'ArrowDown', 'ArrowDown'), ['/d']);
    assert.deepEqual(chosenAfter(choose('/b'), 'PageDown', 'ArrowDown', 'ArrowDown'), ['/e']);
    assert.deepEqual(chosenAfter(choose('/c'), 'Home'), ['/a']);
    assert.deepEqual(chosenAfter(choose('/c'), 'End'), ['/e']);
    assert.deepEqual(chosenAfter(NOTHING, 'End'), ['/e']);
    assert.deepEqual(chosenAfter(NOTHING, 'Home'), ['/a']);
  });

  test('choose a range from where it began, and shrink it again', () => {
    const down = { key: 'ArrowDown', shift: true };
    const up = { key: 'ArrowUp', shift: true };
    assert.deepEqual(chosenAfter(choose('/b'), down, down), ['/b', '/c', '/d']);
    assert.deepEqual(chosenAfter(choose('/b'), down, down, up), ['/b', '/c']);
    assert.deepEqual(chosenAfter(choose('/b'), up), ['/a', '/b']);
  });

  test('choose one by one, all, and none', () => {
    const ctrlDown = { key: 'ArrowDown', command: true };
    assert.deepEqual(chosenAfter(choose('/a'), ctrlDown, ctrlDown, ' '), ['/a', '/c']);
    assert.deepEqual(chosenAfter(NOTHING, { key: 'a', command: true }), ORDER);
    assert.deepEqual(chosenAfter(choose('/a'), 'Escape'), []);
  });

  test('do something with what is chosen', () => {
    assert.deepEqual(press(choose('/c'), 'Enter'), { kind: 'open', path: '/c' });
    assert.deepEqual(press(choose('/c'), 'F2'), { kind: 'rename', path: '/c' });
    assert.deepEqual(press(choose('/c'), 'Delete'), { kind: 'remove' });
    assert.deepEqual(press(NOTHING, 'Backspace'), { kind: 'up' });
  });

  test('are left to the browser when they mean nothing here', () => {
    assert.equal(press(NOTHING, 'Delete'), undefined);
    assert.equal(press(NOTHING, 'Enter'), undefined);
    assert.equal(press(choose('/a'), { key: 'ArrowUp', alt: true }), undefined);
    assert.equal(press(choose('/a'), 'x'), undefined);
  });
});

describe('a selection', () => {
  test('is changed one by one and by ranges', () => {
    assert.deepEqual([...toggle(choose('/a'), '/c').chosen], ['/a', '/c']);
    assert.deepEqual([...toggle(choose('/a'), '/a').chosen], []);
    assert.deepEqual([...extend(choose('/d'), '/b', ORDER).chosen], ['/b', '/c', '/d']);
    assert.deepEqual([...extend(choose('/gone'), '/b', ORDER).chosen], ['/b']);
  });

  test('outlives a change of the list, and its focus stays near', () => {
    const before: Selection = { chosen: new Set(['/b', '/c']), focus: '/c', anchor: '/b' };
    const after = ORDER.filter((path) => path !== '/c');
    assert.deepEqual(keepWithin(before, ORDER, after), { chosen: new Set(['/b']), focus: '/d', anchor: '/b' });
    assert.deepEqual(keepWithin(before, ORDER, []), NOTHING);
  });
});
