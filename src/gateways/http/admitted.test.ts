import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { it } from 'node:test';
import { StorageError } from '../../errors.js';
import { Admitted } from './admitted.js';

class Reply extends EventEmitter {
  closed = false;
}

it('requests end with the reason when whoever made them may not ask any more, and others go on', () => {
  let lock: (user: string) => void = () => undefined;
  const onEnd = (tell: (user: string) => void): (() => void) => {
    lock = tell;
    return () => undefined;
  };
  const admitted = new Admitted({ onEnd });
  const [ann, bob, over] = [new Reply(), new Reply(), new Reply()];
  const ofAnn = admitted.admit({ user: 'ann', caller: 'browser' }, ann);
  const ofBob = admitted.admit({ user: 'bob', caller: 'token' }, bob);
  const isOver = admitted.admit({ user: 'ann', caller: 'browser' }, over);
  over.emit('close');
  lock('ann');
  assert.deepEqual([ofAnn.aborted, ofBob.aborted, isOver.aborted], [true, false, false]);
  assert.ok(StorageError.is(ofAnn.reason, 'LOCKED'));
  const reason = new StorageError('UNAUTHENTICATED', 'Sign in again.');
  admitted.end(({ caller }) => caller === 'token', reason);
  assert.equal(ofBob.reason, reason);
});
