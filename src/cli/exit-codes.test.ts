import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tableRows } from '../../test/repository.js';
import { StorageError } from '../errors.js';
import { exitCodeOf, exitCodes, exitCodesText } from './exit-codes.js';

it('docs/cli.md has every exit code with its meaning, and no other', () => {
  const rows = tableRows('docs/cli.md')
    .filter(([exit]) => /^\d+$/.test(exit ?? ''))
    .map(([exit, name, meaning]) => ({ exit: Number(exit), name: name?.replaceAll('`', ''), meaning }));
  assert.deepEqual(rows, exitCodes());
});

it('every code is printed once', () => {
  const printed = exitCodesText()
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.trim().split(' ')[0]));
  assert.equal(new Set(printed).size, printed.length);
  assert.deepEqual(
    printed,
    [...printed].sort((a, b) => a - b),
  );
});

it('an unknown error is ours', () => {
  assert.equal(exitCodeOf(new Error('oops')), 1);
  assert.equal(exitCodeOf(new StorageError('LOCKED', '')), 7);
});
