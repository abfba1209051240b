import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../errors.js';
import { MAX_SESSIONS } from '../limits.js';
import { Sessions } from './sessions.js';

test('a session lives as long as it is used', () => {
  let now = 0;
  const sessions = new Sessions<string>({ idleMs: 100, now: () => now });
  const token = sessions.add('ann');
  assert.match(token, /^[0-9a-f]{64}$/);
  for (now = 0; now < 1000; now += 99) assert.equal(sessions.use(token), 'ann');
  assert.deepEqual(sessions.expire(), []);
  now += 100;
  assert.throws(
    () => sessions.use(token),
    (error) => StorageError.is(error, 'LOCKED'),
  );
  assert.deepEqual(sessions.expire(), ['ann']);
  assert.equal(sessions.remove(token), undefined);
});

test('tokens differ, and are worth nothing once removed', () => {
  const sessions = new Sessions<string>({ idleMs: 100, now: () => 0 });
  const [one, two] = [sessions.add('ann'), sessions.add('ann')];
  assert.notEqual(one, two);
  assert.equal(sessions.remove(one), 'ann');
  assert.throws(
    () => sessions.use(one),
    (error) => StorageError.is(error, 'LOCKED'),
  );
  assert.deepEqual(sessions.clear(), ['ann']);
  assert.throws(
    () => sessions.use(two),
    (error) => StorageError.is(error, 'LOCKED'),
  );
});

test('there is a bound', () => {
  const sessions = new Sessions<number>({ idleMs: 100, now: () => 0 });
  for (let count = 0; count < MAX_SESSIONS; count++) sessions.add(count);
  assert.throws(
    () => sessions.add(0),
    (error) => StorageError.is(error, 'LIMIT_EXCEEDED'),
  );
});
