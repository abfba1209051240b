import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../../errors.js';
import { FREE_UNLOCK_ATTEMPTS, MAX_REMEMBERED_NAMES, MAX_UNLOCK_WAIT_MS, MIN_UNLOCK_WAIT_MS } from '../../limits.js';
import { UnlockAttempts } from './attempts.js';

function clocked(): { clock: { ms: number }; attempts: UnlockAttempts } {
  const clock = { ms: 1_000_000 };
  return { clock, attempts: new UnlockAttempts(() => clock.ms) };
}

function isRefused(attempts: UnlockAttempts, name: string): boolean {
  try {
    attempts.check(name);
    return false;
  } catch (error) {
    assert.ok(StorageError.is(error, 'UNAVAILABLE'));
    return true;
  }
}

test('the first failures are free, then every failure doubles the wait', () => {
  const { clock, attempts } = clocked();
  for (let count = 0; count < FREE_UNLOCK_ATTEMPTS; count++) {
    assert.equal(isRefused(attempts, 'ann'), false);
    attempts.failed('ann');
  }
  for (let wait = MIN_UNLOCK_WAIT_MS; wait < MAX_UNLOCK_WAIT_MS; wait *= 2) {
    clock.ms += wait - 1;
    assert.equal(isRefused(attempts, 'ann'), true);
    clock.ms += 1;
    assert.equal(isRefused(attempts, 'ann'), false);
    attempts.failed('ann');
  }
  for (let count = 0; count < 100; count++) attempts.failed('ann');
  clock.ms += MAX_UNLOCK_WAIT_MS;
  assert.equal(isRefused(attempts, 'ann'), false);
});

test('names do not wait for each other, and success forgives', () => {
  const { attempts } = clocked();
  for (let count = 0; count < 10; count++) attempts.failed('ann');
  assert.equal(isRefused(attempts, 'ann'), true);
  assert.equal(isRefused(attempts, 'bob'), false);
  attempts.succeeded('ann');
  assert.equal(isRefused(attempts, 'ann'), false);
});

test('names without end do not fill the memory', () => {
  const { attempts } = clocked();
  for (let count = 0; count < 10; count++) attempts.failed('first');
  for (let name = 0; name < MAX_REMEMBERED_NAMES; name++) attempts.failed(String(name));
  assert.equal(isRefused(attempts, 'first'), false);
});
