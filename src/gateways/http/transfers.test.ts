import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_ENDED_TRANSFERS } from '../../limits.js';
import { changedFolders, see } from './changed-folders.js';
import { EventStream } from './event-stream.js';
import { Transfers } from './transfers.js';
import type { Entry } from '../../catalog/catalog.js';

describe('Transfers', () => {
  const nothing = { path: '/a', user: 'ann', total: 10, cancel: () => undefined } as const;

  it('are told of while they run, and a while after', () => {
    const transfers = new Transfers(() => 0);
    const told: string[] = [];
    transfers.onChange((user, { state, bytes }) => told.push(`${user} ${state} ${String(bytes)}`));
    let bytes = 0;
    const end = transfers.begin({ ...nothing, kind: 'put', bytes: () => bytes });
    bytes = 7;
    assert.deepEqual(
      transfers.running('ann').map((one) => [one.path, one.bytes, one.total, one.state]),
      [['/a', 7, 10, 'running']],
    );
    assert.deepEqual(transfers.list('bob'), []);
    end({ state: 'failed', message: 'why' });
    end({ state: 'done' });
    assert.deepEqual(told, ['ann running 0', 'ann failed 7']);
    assert.equal(transfers.list('ann')[0]?.message, 'why');
    assert.deepEqual(transfers.moved(), { putBytes: 7, getBytes: 0 });
  });

  it('are cancelled by their user alone', () => {
    const transfers = new Transfers(() => 0);
    let cancelled = 0;
    const end = transfers.begin({ ...nothing, kind: 'get', bytes: () => 1, cancel: () => cancelled++ });
    const [{ id } = { id: '' }] = transfers.list('ann');
    assert.equal(transfers.cancel('bob', id), false);
    assert.equal(transfers.cancel('ann', id), true);
    end({ state: 'failed', message: 'the connection is gone' });
    assert.deepEqual(
      [cancelled, transfers.list('ann')[0]?.state, transfers.cancel('ann', id)],
      [1, 'cancelled', false],
    );
  });

  it('are forgotten one day', () => {
    const transfers = new Transfers(() => 0);
    const running = transfers.begin({ ...nothing, kind: 'get', bytes: () => 1 });
    for (let n = 0; n < MAX_ENDED_TRANSFERS + 5; n++) {
      transfers.begin({ ...nothing, kind: 'get', bytes: () => 1 })({ state: 'done' });
    }
    assert.equal(transfers.list('ann').length, MAX_ENDED_TRANSFERS + 1);
    running({ state: 'done' });
    assert.equal(transfers.moved().getBytes, MAX_ENDED_TRANSFERS + 6);
  });
});

describe('changedFolders', () => {
  const folder = (path: string): Entry => ({ path, type: 'folder', bytes: 0, modifiedMs: 0, mode: 0 });

  it('are those in which something came, went or changed', () => {
    const before = see([folder('/a'), folder('/a/b'), folder('/c')]);
    assert.deepEqual(changedFolders(before, before), []);
    assert.deepEqual(changedFolders(before, see([folder('/a'), folder('/c'), folder('/c/d')])), ['/c', '/a']);
    const changed = see([{ ...folder('/a'), modifiedMs: 1 }, folder('/a/b'), folder('/c')]);
    assert.deepEqual(changedFolders(before, changed), ['/']);
    const many = Array.from({ length: 50 }, (_, n) => folder(`/${String(n)}/x`));
    assert.deepEqual(changedFolders(see([]), see(many)), ['/']);
  });
});

describe('EventStream', () => {
  it('writes events as browsers read them, and says when the page has left', () => {
    let left = 0;
    const stream = new EventStream(() => left++);
    stream.send({ event: 'entries', data: { path: '/a\nb' } });
    assert.match(String(stream.body.read()), /\n\nevent: entries\ndata: \{"path":"\/a\\nb"\}\n\n$/);
    stream.body.destroy();
    return new Promise<void>((resolve) => {
      stream.body.once('close', () => {
        assert.equal(left, 1);
        stream.send({ event: 'entries', data: { path: '/' } });
        resolve();
      });
    });
  });

  it('sends away a page that takes nothing', () => {
    const stream = new EventStream(() => undefined);
    const path = 'x'.repeat(100_000);
    for (let n = 0; n < 20; n++) stream.send({ event: 'entries', data: { path } });
    assert.equal(stream.body.destroyed, true);
  });
});
