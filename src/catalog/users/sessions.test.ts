import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../../errors.js';
import { MAX_SESSIONS } from '../../limits.js';
import { Sessions } from './sessions.js';

test('a session lives as long as it is used', () => {
  let now = 0;
  const sessions = new Sessions<string>({ idleMs: 100, now: () => now });
  const { token } = sessions.add('ann');
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
  const [one, two] = [sessions.add('ann').token, sessions.add('ann').token];
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

test('what is done in the background keeps no session open', () => {
  let now = 0;
  const sessions = new Sessions<string>({ idleMs: 100, now: () => now });
  const { token, background } = sessions.add('ann');
  assert.notEqual(token, background);
  now = 60;
  assert.equal(sessions.use(background), 'ann');
  assert.equal(sessions.isOpen(token), true);
  now = 100;
  assert.equal(sessions.isOpen(background), false);
  for (const either of [token, background]) {
    assert.throws(
      () => sessions.use(either),
      (error) => StorageError.is(error, 'LOCKED'),
    );
  }
  assert.deepEqual(sessions.expire(), ['ann']);
});

test('some are taken out, but for one, by either of its tokens', () => {
  const sessions = new Sessions<string>({ idleMs: 100, now: () => 0 });
  const [one, two, bob] = [sessions.add('ann'), sessions.add('ann'), sessions.add('bob')];
  assert.deepEqual(
    sessions.removeAll((name) => name === 'ann', two.background),
    ['ann'],
  );
  assert.equal(sessions.isOpen(one.token), false);
  assert.equal(sessions.isOpen(one.background), false);
  assert.equal(sessions.use(two.token), 'ann');
  assert.deepEqual(sessions.all(), ['ann', 'bob']);
  assert.equal(sessions.remove(bob.background), 'bob');
  assert.deepEqual(
    sessions.removeAll(() => true),
    ['ann'],
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
