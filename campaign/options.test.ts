import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../src/errors.js';
import { FAULT_KINDS } from './nemesis/fault.js';
import { parseCampaignOptions } from './options.js';

test('options of the campaign', () => {
  const asked = ['--minutes', '0.5', '--seed', '7', '--rounds', '3', '--json'];
  assert.deepEqual(parseCampaignOptions(asked), {
    ...{ minutes: 0.5, seed: 7, rounds: 3, pairs: 28 },
    faults: new Set(FAULT_KINDS),
    ...{ beyond: false, json: true },
  });
  assert.equal(parseCampaignOptions(['--help']), undefined);
  const drawn = parseCampaignOptions([]);
  assert.ok(drawn?.minutes === 2 && Number.isSafeInteger(drawn.seed));
  assert.deepEqual(parseCampaignOptions(['--faults', 'pause,lose-disk'])?.faults, new Set(['pause', 'lose-disk']));
  for (const words of [
    ['--faults', 'earthquake'],
    ['--minutes', '0'],
    ['--minutes', '1e9'],
    ['--seed', '-1'],
    ['--seed', 'x'],
    ['--nothing'],
    ['x'],
  ]) {
    assert.throws(
      () => parseCampaignOptions(words),
      (error) => StorageError.is(error, 'INVALID_ARGUMENT'),
      words.join(' '),
    );
  }
});
